#include "node/service_manager.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "tests/unit/temporary_directory.h"

using namespace eventchain;
using namespace eventchain::node;
using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

// The other end: what systemd listens at. `name` is a path, or begins with '@'.
class Listener {
 public:
  explicit Listener(const std::string& name)
      : descriptor_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(name.size() < sizeof(address.sun_path));
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    REQUIRE(bind(descriptor_, reinterpret_cast<const sockaddr*>(&address),
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())) == 0);
  }
  ~Listener() { close(descriptor_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // "" if there is nothing.
  std::string take() {
    char text[4096];
    const ssize_t got = recv(descriptor_, text, sizeof(text), 0);
    return got < 0 ? std::string() : std::string(text, static_cast<std::size_t>(got));
  }

 private:
  int descriptor_;
};

ServiceManager manager_at(const std::string& socket, const std::string& watchdog = {},
                          const std::string& whose = {}) {
  setenv("NOTIFY_SOCKET", socket.c_str(), 1);
  if (!watchdog.empty()) setenv("WATCHDOG_USEC", watchdog.c_str(), 1);
  if (!whose.empty()) setenv("WATCHDOG_PID", whose.c_str(), 1);
  return ServiceManager::from_environment();
}

NodeStatus follower() {
  NodeStatus status;
  status.height = chain::Height{7};
  status.pending_events = 3;
  status.ready = true;
  return status;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the manager hears what it is told, at a path and at an abstract name") {
  const TemporaryDirectory scratch;
  for (const std::string& name : {scratch.file("notify"), "@eventchain-test-" + scratch.file("")}) {
    INFO(name);
    Listener listener(name);
    const ServiceManager manager = manager_at(name);
    CHECK(manager.is_there());
    CHECK(manager.tell("READY=1\nSTATUS=x\n"));
    CHECK(listener.take() == "READY=1\nSTATUS=x\n");
  }
}

TEST_CASE("no child can speak for the process") {
  CHECK(manager_at("/run/notify", "5000000", std::to_string(getpid())).watchdog() ==
        microseconds(5'000'000));
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
    CHECK(std::getenv(name) == nullptr);
}

TEST_CASE("without a manager nothing is told, and one that is gone stops nobody") {
  CHECK_FALSE(ServiceManager::from_environment().is_there());
  CHECK(ServiceManager().tell("READY=1\n"));
  for (const char* name : {"", "relative", "/", "@"}) CHECK_FALSE(manager_at(name).is_there());
  const TemporaryDirectory scratch;
  CHECK_FALSE(manager_at(scratch.file("gone")).tell("READY=1\n"));
  CHECK_FALSE(manager_at("/" + std::string(200, 'x')).tell("READY=1\n"));
}

TEST_CASE("a manager that reads nothing does not hold the node up") {
  const TemporaryDirectory scratch;
  const Listener listener(scratch.file("notify"));
  const ServiceManager manager = manager_at(scratch.file("notify"));
  int taken = 0;
  while (manager.tell("WATCHDOG=1\n")) REQUIRE(++taken < 100'000);
  CHECK(taken > 0);
}

TEST_CASE("a watchdog of another process, or one that makes no sense, is none") {
  CHECK(manager_at("/x", "1000", "1").watchdog() == std::nullopt);
  CHECK(manager_at("/x", "1000", "me").watchdog() == std::nullopt);
  for (const char* interval : {"0", "-5", "soon", "5s", "99999999999999999999"})
    CHECK(manager_at("/x", interval).watchdog() == std::nullopt);
  CHECK(manager_at("/x", "1000").watchdog() == microseconds(1000));
}

TEST_CASE("a sign of life is given at least four times in what the watchdog waits") {
  CHECK(ServiceReport(std::nullopt).every() == milliseconds(1000));
  CHECK(ServiceReport(std::chrono::minutes(3)).every() == milliseconds(1000));
  CHECK(ServiceReport(microseconds(2'000'000)).every() == milliseconds(500));
  CHECK(ServiceReport(microseconds(1)).every() == milliseconds(10));
}

TEST_CASE("a node is ready once it has caught up, and stays so") {
  ServiceReport report(microseconds(180'000'000));
  NodeStatus status = follower();
  status.ready = false;
  std::string lines = report.lines(status, std::nullopt);
  CHECK(lines ==
        "STATUS=at height 7; waits for a leader: a majority of voters must be reachable\n"
        "EXTEND_TIMEOUT_USEC=180000000\nWATCHDOG=1\n");

  // A leader is there, and has committed more than this node has.
  status = follower();
  status.peers = {{chain::NodeId{}, "n2", true, chain::Height{90}},
                  {chain::NodeId{}, "n3", false, chain::Height{95}}};
  lines = report.lines(status, std::nullopt);
  CHECK(contains(lines, "STATUS=catches up: height 7 of 90\n"));
  CHECK(contains(lines, "EXTEND_TIMEOUT_USEC="));
  CHECK_FALSE(contains(lines, "READY="));
  CHECK_FALSE(report.is_ready());

  CHECK(report.lines(status, milliseconds(20)) ==
        "STATUS=follows; height 7, 3 events pending\nREADY=1\nWATCHDOG=1\n");
  CHECK(report.is_ready());

  // What happens later is no matter of starting.
  status.ready = false;
  lines = report.lines(status, milliseconds(20'000));
  CHECK(contains(lines, "STATUS=at height 7; waits for a leader"));
  CHECK(contains(lines, "READY=1\nWATCHDOG=1\n"));
  CHECK_FALSE(contains(lines, "EXTEND"));
}

TEST_CASE("a light member is ready when it has heard of no block above its own") {
  ServiceReport report(std::nullopt);
  NodeStatus status = follower();
  status.is_light = true;
  status.peers = {{chain::NodeId{}, "n2", true, chain::Height{8}}};
  CHECK(contains(report.lines(status, std::nullopt), "EXTEND_TIMEOUT_USEC=120000000\n"));
  status.height = chain::Height{8};
  CHECK(report.lines(status, std::nullopt) ==
        "STATUS=light member; height 8, 3 events pending\nREADY=1\nWATCHDOG=1\n");
}

TEST_CASE("the status tells a leader and a drain") {
  ServiceReport report(std::nullopt);
  NodeStatus status = follower();
  status.role = consensus::Role::kLeader;
  CHECK(contains(report.lines(status, milliseconds(0)), "STATUS=leads; height 7, "));
  status.drain = DrainStatus{5, 2, false};
  CHECK(contains(report.lines(status, milliseconds(0)),
                 "STATUS=drains: 5 events and 2 requests left\n"));
  status.drain->is_done = true;
  CHECK(contains(report.lines(status, milliseconds(0)), "STATUS=drained, and may be stopped\n"));
}
