#include "tools/eventchain/endpoint_poll.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

using namespace eventchain::tools;

namespace {

// Takes connections, and never says a word.
class SilentHost {
 public:
  SilentHost() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    REQUIRE(::listen(socket_, 8) == 0);
    port_ = ntohs(address.sin_port);
  }
  ~SilentHost() { ::close(socket_); }
  SilentHost(const SilentHost&) = delete;
  SilentHost& operator=(const SilentHost&) = delete;

  [[nodiscard]] std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  int socket_;
  int port_ = 0;
};

constexpr std::chrono::milliseconds kShort{100};

}  // namespace

TEST_CASE("whatever endpoints do, each gets an answer or a reason, round after round") {
  const SilentHost silent;
  EndpointPoll poll(nullptr);
  for (int round = 0; round < 3; ++round) {
    const auto answers = poll.round(
        {silent.endpoint(), "http://127.0.0.1:1", "ftp://x", "https://127.0.0.1:1"}, kShort, {});
    REQUIRE(answers.size() == 4);
    CHECK(answers[0].endpoint == silent.endpoint());
    CHECK(answers[0].trouble == "no answer in time");
    CHECK(answers[1].trouble == "Connection refused");
    // TLS needs files that nobody gave.
    CHECK(answers[2].trouble == "it is no endpoint that can be asked");
    CHECK(answers[3].trouble == "it is no endpoint that can be asked");
  }
  CHECK_FALSE(EndpointPoll::has_stragglers());
}

TEST_CASE("an endpoint given twice is asked once, and none makes no round") {
  EndpointPoll poll(nullptr);
  CHECK(poll.round({"http://127.0.0.1:1", "http://127.0.0.1:1"}, kShort, {}).size() == 1);
  CHECK(poll.round({}, kShort, {}).empty());
}

TEST_CASE("what gives no answer leads to no others") {
  EndpointPoll poll(nullptr);
  int discoveries = 0;
  const auto answers = poll.round({"http://127.0.0.1:1"}, kShort, [&discoveries](const Polled&) {
    ++discoveries;
    return std::vector<std::string>{"http://127.0.0.1:2"};
  });
  CHECK(answers.size() == 1);
  CHECK(discoveries == 0);
}
