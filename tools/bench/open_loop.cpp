// Loads a redis server in an open loop: requests leave at the moments of a Poisson process whatever
// the server does, and a latency counts from the moment at which the request should have left. So a
// stall is felt by all who come meanwhile, as it is by a service's own clients.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "chain/rng.h"

namespace {

namespace chain = eventchain::chain;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kPrepare = "*3\r\n$3\r\nSET\r\n$4\r\nharm\r\n$64\r\n";
constexpr std::string_view kRequest = "*2\r\n$3\r\nGET\r\n$4\r\nharm\r\n";
constexpr std::size_t kValueOctets = 64;
constexpr std::size_t kReplyOctets = 5 + kValueOctets + 2;  // "$64\r\n" value "\r\n"

struct Failure {
  std::string what;
};
[[noreturn]] void fail(const std::string& what) {
  throw Failure{what + ": " + std::strerror(errno)};
}

int connect_to(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) fail("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // The only way the socket API has it.
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    fail("connect to port " + std::to_string(port));
  const int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return fd;
}

void store_value(std::uint16_t port) {
  const int fd = connect_to(port);
  const std::string text = std::string(kPrepare) + std::string(kValueOctets, 'x') + "\r\n";
  std::array<char, 16> reply{};
  if (write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) fail("write");
  if (read(fd, reply.data(), reply.size()) <= 0 || reply[0] != '+')
    throw Failure{"SET was refused"};
  close(fd);
}

struct Connection {
  int fd = -1;
  std::string unsent;
  std::size_t received = 0;           // octets of the reply that is coming
  std::deque<Clock::time_point> due;  // of the requests without a reply
};

// Requests leave on the connections in turn.
class OpenLoop {
 public:
  OpenLoop(std::uint16_t port, std::size_t connections, double rate, std::uint64_t seed)
      : rate_(rate), moments_(seed) {
    for (std::size_t i = 0; i < connections; ++i) {
      Connection one;
      one.fd = connect_to(port);
      fcntl(one.fd, F_SETFL, O_NONBLOCK);
      connections_.push_back(std::move(one));
    }
  }

  // In microseconds, in the order of the replies; of requests due after the warm-up.
  std::vector<double> run(double warm_up, double seconds) {
    const auto begin = Clock::now();
    const auto counted = begin + span(warm_up);
    const auto end = counted + span(seconds);
    auto next = begin + gap();
    while (true) {
      const auto now = Clock::now();
      for (; next <= now && next < end; next += gap()) send(next);
      if (now >= end && is_idle()) break;
      if (now >= end + std::chrono::seconds(10)) throw Failure{"no reply for 10 seconds"};
      wait(next < end ? next - now : std::chrono::milliseconds(10));
      receive(counted);
    }
    return std::move(latencies_);
  }

 private:
  static Clock::duration span(double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }
  Clock::duration gap() {
    // In (0, 1]: 53 bits are what a double can tell apart.
    const double part = std::ldexp(static_cast<double>((moments_.next() >> 11) + 1), -53);
    return span(-std::log(part) / rate_);
  }
  [[nodiscard]] bool is_idle() const {
    return std::ranges::all_of(connections_, [](const Connection& one) { return one.due.empty(); });
  }

  void send(Clock::time_point due) {
    Connection& one = connections_[turn_++ % connections_.size()];
    one.due.push_back(due);
    one.unsent += kRequest;
    flush(one);
  }
  static void flush(Connection& one) {
    if (one.unsent.empty()) return;
    const ssize_t written = write(one.fd, one.unsent.data(), one.unsent.size());
    if (written > 0) one.unsent.erase(0, static_cast<std::size_t>(written));
    if (written < 0 && errno != EAGAIN) fail("write");
  }

  void wait(Clock::duration limit) {
    std::vector<pollfd> polled;
    for (const Connection& one : connections_)
      polled.push_back(
          {one.fd, static_cast<short>(one.unsent.empty() ? POLLIN : POLLIN | POLLOUT), 0});
    const auto ns = std::max<std::int64_t>(0, std::chrono::nanoseconds(limit).count());
    const timespec time{ns / 1'000'000'000, ns % 1'000'000'000};
    ppoll(polled.data(), polled.size(), &time, nullptr);
  }

  void receive(Clock::time_point counted) {
    for (Connection& one : connections_) {
      flush(one);
      const ssize_t octets = read(one.fd, buffer_.data(), buffer_.size());
      if (octets == 0) throw Failure{"the server hung up"};
      if (octets < 0) {
        if (errno != EAGAIN) fail("read");
        continue;
      }
      const auto now = Clock::now();
      // Any other reply has another length, too.
      if (one.received == 0 && buffer_[0] != '$') throw Failure{"the server answers with an error"};
      one.received += static_cast<std::size_t>(octets);
      for (; one.received >= kReplyOctets; one.received -= kReplyOctets) {
        if (one.due.empty()) throw Failure{"the server says more than it was asked for"};
        const auto due = one.due.front();
        one.due.pop_front();
        if (due >= counted)
          latencies_.push_back(std::chrono::duration<double, std::micro>(now - due).count());
      }
    }
  }

  const double rate_;
  chain::Rng moments_;
  std::vector<Connection> connections_;
  std::size_t turn_ = 0;
  std::vector<double> latencies_;
  std::array<char, 65536> buffer_{};
};

double quantile(const std::vector<double>& sorted, double part) {
  const auto at = static_cast<std::size_t>(part * static_cast<double>(sorted.size()));
  return sorted[std::min(at, sorted.size() - 1)];
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Loads a redis server on loopback in an open loop and prints, in microseconds: "
      "requests p50 p99 p99.9");
  std::uint16_t port = 6379;
  double rate = 1000;
  double seconds = 5;
  double warm_up = 0.5;
  std::size_t connections = 4;
  std::uint64_t seed = 1;
  app.add_option("--port", port);
  app.add_option("--rate", rate, "requests per second")->check(CLI::Range(1.0, 1e6));
  app.add_option("--seconds", seconds)->check(CLI::Range(0.1, 3600.0));
  app.add_option("--warm-up", warm_up, "seconds before")->check(CLI::Range(0.0, 3600.0));
  app.add_option("--seed", seed, "of the moments at which requests are due");
  app.add_option("--connections", connections)->check(CLI::Range(1, 1000));
  CLI11_PARSE(app, argc, argv);
  try {
    store_value(port);
    auto latencies = OpenLoop(port, connections, rate, seed).run(warm_up, seconds);
    if (latencies.empty()) throw Failure{"no request was answered"};
    std::ranges::sort(latencies);
    std::printf("%zu %.1f %.1f %.1f\n", latencies.size(), quantile(latencies, 0.5),
                quantile(latencies, 0.99), quantile(latencies, 0.999));
    return 0;
  } catch (const Failure& failure) {
    std::fprintf(stderr, "open-loop: %s\n", failure.what.c_str());
    return 1;
  }
}
