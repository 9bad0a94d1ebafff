#include "node/service_manager.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>

namespace eventchain::node {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string taken = value == nullptr ? std::string() : std::string(value);
  unsetenv(name);
  return taken;
}

std::optional<std::int64_t> as_number(const std::string& text) {
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

// The highest block that anybody has spoken of.
chain::Height highest(const NodeStatus& status) {
  chain::Height height = status.height;
  for (const PeerStatus& peer : status.peers)
    if (peer.linked && peer.tip) height = std::max(height, *peer.tip);
  return height;
}

bool has_caught_up(const NodeStatus& status, std::optional<milliseconds> age) {
  if (!status.ready) return false;
  return status.is_light ? highest(status) == status.height : age.has_value();
}

std::string in_words(const NodeStatus& status, std::optional<milliseconds> age) {
  if (status.drain && status.drain->is_done) return "drained, and may be stopped";
  if (status.drain)
    return fmt::format("drains: {} events and {} requests left", status.drain->events,
                       status.drain->requests);
  if (!status.ready)
    return fmt::format("at height {}; waits for a leader: a majority of voters must be reachable",
                       status.height.value);
  if (!has_caught_up(status, age))
    return fmt::format("catches up: height {} of {}", status.height.value, highest(status).value);
  const bool leads = status.role == consensus::Role::kLeader;
  return fmt::format("{}; height {}, {} events pending",
                     status.is_light ? "light member"
                     : leads         ? "leads"
                                     : "follows",
                     status.height.value, status.pending_events);
}

// How long a turn of the core may take where no watchdog says it.
constexpr microseconds kPatience = std::chrono::minutes(2);

}  // namespace

ServiceManager ServiceManager::from_environment() {
  ServiceManager manager;
  manager.socket_ = take_variable("NOTIFY_SOCKET");
  const auto interval = as_number(take_variable("WATCHDOG_USEC"));
  const std::string whose = take_variable("WATCHDOG_PID");
  const bool is_ours = whose.empty() || as_number(whose) == std::int64_t{getpid()};
  if (interval && *interval > 0 && is_ours) manager.watchdog_ = microseconds(*interval);
  if (manager.socket_.size() < 2 || (manager.socket_[0] != '/' && manager.socket_[0] != '@'))
    manager.socket_.clear();
  return manager;
}

bool ServiceManager::tell(std::string_view lines) const {
  if (socket_.empty()) return true;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_.size() >= sizeof(address.sun_path)) return false;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  // An abstract name begins with a zero, and ends where the address ends.
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return false;
  const ssize_t sent = sendto(descriptor, lines.data(), lines.size(), MSG_NOSIGNAL,
                              reinterpret_cast<const sockaddr*>(&address), length);
  close(descriptor);
  return sent == static_cast<ssize_t>(lines.size());
}

ServiceReport::ServiceReport(std::optional<microseconds> watchdog) : watchdog_(watchdog) {}

milliseconds ServiceReport::every() const {
  constexpr milliseconds kSecond(1000);
  if (!watchdog_) return kSecond;
  // Two signs may be lost.
  return std::clamp(std::chrono::duration_cast<milliseconds>(*watchdog_ / 4), milliseconds(10),
                    kSecond);
}

std::string ServiceReport::lines(const NodeStatus& status, std::optional<milliseconds> age) {
  is_ready_ = is_ready_ || has_caught_up(status, age);
  std::string lines = fmt::format("STATUS={}\n", in_words(status, age));
  // Again and again: the datagram that said it first may have been lost.
  lines += is_ready_
               ? "READY=1\n"
               : fmt::format("EXTEND_TIMEOUT_USEC={}\n", watchdog_.value_or(kPatience).count());
  return lines + "WATCHDOG=1\n";
}

struct ServiceTalk::Heard {
  std::mutex mutex;
  std::optional<NodeStatus> status;  // guarded by mutex
};

ServiceTalk::ServiceTalk(const ServiceManager& manager, NodePort& node)
    : manager_(manager),
      node_(node),
      report_(manager.watchdog()),
      heard_(std::make_shared<Heard>()) {}

milliseconds ServiceTalk::every() const {
  return manager_.is_there() ? report_.every() : milliseconds(std::chrono::hours(1));
}

void ServiceTalk::step() {
  if (!manager_.is_there()) return;
  std::optional<NodeStatus> status;
  {
    const std::lock_guard lock(heard_->mutex);
    status.swap(heard_->status);
  }
  // What is lost is said again in the next step.
  if (status) static_cast<void>(manager_.tell(report_.lines(*status, node_.age())));
  if (has_asked_ && !status) return;
  has_asked_ = true;
  node_.ask_status([heard = heard_](NodeStatus known) {
    const std::lock_guard lock(heard->mutex);
    heard->status = std::move(known);
  });
}

}  // namespace eventchain::node
