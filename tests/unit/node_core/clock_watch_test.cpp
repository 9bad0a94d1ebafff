#include "node/clock_watch.h"

#include <doctest/doctest.h>

#include <limits>

using namespace eventchain;
using namespace eventchain::node;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t kStart = 1'750'000'000'000;

chain::NodeId leader(std::uint8_t number) {
  chain::NodeId id;
  id.octets[0] = number;
  return id;
}

// A node whose clock is right, and a leader's that is ahead by so much.
struct Watched {
  ClockWatch watch;
  chain::Now now{chain::Instant{5s}, {kStart}};
  int alarms = 0;

  void stamped(std::chrono::milliseconds ahead, std::chrono::milliseconds on_the_way = 0ms,
               std::uint8_t by = 1) {
    const chain::UnixMillis stamp{now.wall.value + (ahead - on_the_way).count()};
    alarms += watch.stamped(leader(by), stamp, now) ? 1 : 0;
  }
  void pass(std::chrono::milliseconds span) {
    now.steady = now.steady + span;
    now.wall.value += span.count();
  }
};

}  // namespace

TEST_CASE("clocks that are two seconds apart at most are no alarm") {
  Watched one;
  CHECK_FALSE(one.watch.ahead().has_value());
  for (const auto ahead : {2000ms, -2000ms, 0ms, 1999ms}) {
    for (int i = 0; i < 20; ++i) {
      one.stamped(ahead);
      one.pass(10s);
    }
    CHECK(one.alarms == 0);
    CHECK(one.watch.ahead() == ahead);
  }
}

TEST_CASE("a stamp from the future is an alarm at once, told once a minute") {
  Watched one;
  one.stamped(2001ms);
  CHECK(one.alarms == 1);
  CHECK(one.watch.ahead() == 2001ms);
  for (int i = 0; i < 6; ++i) {
    one.pass(10s);
    one.stamped(2001ms);
  }
  CHECK(one.alarms == 2);
}

TEST_CASE("a template that was long on its way is no clock that is behind") {
  Watched one;
  one.stamped(0ms, 9s);
  one.stamped(0ms, 5s);
  one.stamped(0ms, 20ms);
  one.stamped(0ms, 7s);
  CHECK(one.alarms == 0);
  CHECK(one.watch.ahead() == -20ms);
  Watched other;
  other.stamped(-3s);
  other.stamped(-3s, 1s);
  CHECK(other.alarms == 0);
  CHECK_FALSE(other.watch.ahead().has_value());
  other.stamped(-3s, 40ms);
  CHECK(other.alarms == 1);
  CHECK(other.watch.ahead() == -3s);
}

TEST_CASE("a clock that was set right is forgotten with the stamps that it gave") {
  Watched one;
  for (int i = 0; i < 8; ++i) one.stamped(10s);
  for (std::size_t i = 0; i + 1 < ClockWatch::kSamples; ++i) one.stamped(0ms);
  CHECK(one.watch.ahead() == 10s);
  one.stamped(0ms);
  CHECK(one.watch.ahead() == 0ms);
  one.stamped(10s);
  one.stamped(0ms, 0ms, 2);  // another leader
  CHECK_FALSE(one.watch.ahead() == 10s);
}

TEST_CASE("no stamp is too far away to be told") {
  Watched one;
  for (const std::int64_t stamp :
       {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
    for (int i = 0; i < 8; ++i) {
      one.watch.stamped(leader(1), {stamp}, one.now);
      CHECK((!one.watch.ahead() || std::chrono::abs(*one.watch.ahead()) > 24h));
    }
  }
}
