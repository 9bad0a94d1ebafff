#include "node/clock_watch.h"

#include <doctest/doctest.h>

#include <limits>

using namespace eventchain;
using namespace eventchain::node;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

constexpr std::int64_t kStart = 1'750'000'000'000;

chain::NodeId peer(std::uint8_t number) {
  chain::NodeId id;
  id.octets[0] = number;
  return id;
}

// A node whose clock is right, and a peer whose wall clock is ahead and whose monotonic clock began
// elsewhere.
struct Watched {
  ClockWatch own;
  ClockWatch others;
  milliseconds ahead{0};
  chain::Now now{chain::Instant{5s}, {kStart}};
  int alarms = 0;

  [[nodiscard]] chain::Now there() const {
    return {now.steady + std::chrono::hours(1000), {now.wall.value + ahead.count()}};
  }
  void pass(milliseconds span) {
    now.steady = now.steady + span;
    now.wall.value += span.count();
  }
  // A word to the peer and one back, so long on their ways; the peer keeps the first for a while.
  void exchange(milliseconds out, milliseconds held, milliseconds back) {
    const auto word = own.say(peer(1), now);
    pass(out);
    others.heard(peer(9), word, there());
    pass(held);
    const auto answer = others.say(peer(9), there());
    pass(back);
    own.heard(peer(1), answer, now);
    alarms += own.alarm(peer(1), now) ? 1 : 0;
  }
  [[nodiscard]] std::optional<milliseconds> seen() const { return own.ahead(peer(1), now); }
};

}  // namespace

TEST_CASE("a difference is known up to the time that the words took") {
  Watched one;
  CHECK_FALSE(one.seen().has_value());
  for (const auto ahead : {2000ms, -2000ms, 0ms, 1999ms, -3600'000ms}) {
    Watched other;
    other.ahead = ahead;
    other.exchange(0ms, 4s, 0ms);
    CHECK(other.seen() == ahead);
    CHECK(other.alarms == (ahead == -3600'000ms ? 1 : 0));
  }
  one.ahead = 1000ms;
  one.exchange(30ms, 2s, 70ms);  // 900 to 1000 fits
  CHECK(one.seen() == 930ms);
  one.ahead = 50ms;
  Watched near;
  near.ahead = 50ms;
  near.exchange(60ms, 2s, 70ms);
  CHECK(near.seen() == 0ms);
}

TEST_CASE("words that waited for seconds, however many, are no clock that is off") {
  Watched one;
  for (int i = 0; i < 30; ++i) one.exchange(milliseconds(i), 300ms, 5s + milliseconds(10 * i));
  CHECK(one.alarms == 0);
  CHECK(one.seen() == 0ms);
  Watched other;
  for (int i = 0; i < 30; ++i) other.exchange(7s, 0ms, 0ms);
  CHECK(other.alarms == 0);
  CHECK(other.seen() == 0ms);
}

TEST_CASE("a clock that is off is told all the same, as far as it is certain, and once a minute") {
  Watched one;
  one.ahead = -60s;
  one.exchange(1s, 300ms, 5s);
  CHECK(one.alarms == 1);
  CHECK(one.seen() == -59s);
  // The least delay of the newest counts.
  one.exchange(2ms, 1s, 3ms);
  CHECK(one.seen() == -60s + 2ms);
  one.exchange(1s, 300ms, 5s);
  CHECK(one.seen() == -60s + 2ms);
  CHECK(one.alarms == 1);
  for (int i = 0; i < 10; ++i) one.exchange(0ms, 6s, 0ms);
  CHECK(one.alarms == 2);
}

TEST_CASE("samples grow old: the least delay of the newest counts") {
  Watched one;
  one.exchange(0ms, 1s, 0ms);
  CHECK(one.seen() == 0ms);
  one.ahead = 15ms;  // within what a clock gains
  for (std::size_t i = 0; i < ClockWatch::kSamples; ++i) one.exchange(1ms, 1s, 1ms);
  CHECK(one.seen() == 14ms);
}

TEST_CASE("a clock that was set is a new beginning, on either side") {
  Watched one;
  for (int i = 0; i < 8; ++i) one.exchange(1ms, 1s, 1ms);
  one.ahead = 10s;
  one.exchange(20ms, 1s, 20ms);
  CHECK(one.seen() == 10s - 20ms);
  one.ahead = 0s;
  one.exchange(20ms, 1s, 20ms);
  CHECK(one.seen() == 0ms);
  one.exchange(0ms, 1s, 0ms);
  one.now.wall.value += 5000;  // this node's own: at once
  CHECK(one.seen() == -5000ms);
}

TEST_CASE("each peer has its own, which ends with the link") {
  Watched one;
  one.ahead = 10s;
  one.exchange(0ms, 1s, 0ms);
  CHECK_FALSE(one.own.ahead(peer(2), one.now).has_value());
  CHECK_FALSE(one.own.alarm(peer(2), one.now).has_value());
  one.own.peer_down(peer(1));
  CHECK_FALSE(one.seen().has_value());
  CHECK(one.own.say(peer(1), one.now).echo == 0ms);
}

TEST_CASE("what was never said, or long ago, and what cannot be, tells nothing") {
  Watched one;
  const auto heard = [&one](milliseconds mark, milliseconds echo, milliseconds held) {
    one.own.heard(peer(1), {{kStart + 50'000}, mark, echo, held}, one.now);
    return one.seen().has_value();
  };
  one.pass(100s);
  const auto mark = one.own.say(peer(1), one.now).mark;
  CHECK_FALSE(heard(1ms, 0ms, 0ms));
  CHECK_FALSE(heard(1ms, mark + 1ms, 0ms));  // of the future
  CHECK_FALSE(heard(1ms, mark - 5s, 6s));    // held for longer than it was away
  CHECK_FALSE(heard(1ms, mark - 61s, 0ms));  // too old
  CHECK_FALSE(heard(1ms, milliseconds::max() / 4, milliseconds(0xffffffff)));
  CHECK(heard(1ms, mark - 5s, 5s));
  // Nor is it said back when it is old itself.
  CHECK(one.own.say(peer(1), one.now).echo == 1ms);
  one.pass(61s);
  CHECK(one.own.say(peer(1), one.now).echo == 0ms);
}

TEST_CASE("no clock is too far away to be told") {
  for (const std::int64_t wall :
       {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
    Watched one;
    const auto mark = one.own.say(peer(1), one.now).mark;
    one.own.heard(peer(1), {{wall}, 1ms, mark, 0ms}, one.now);
    REQUIRE(one.seen().has_value());
    CHECK(std::chrono::abs(*one.seen()) > 24h);
    CHECK(one.own.alarm(peer(1), one.now).has_value());
  }
}
