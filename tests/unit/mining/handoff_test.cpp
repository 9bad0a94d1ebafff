#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "mining/handoff.h"

using namespace eventchain;
using namespace eventchain::mining;

namespace {

// A value that shows when it was read half old, half new.
struct Pair {
  std::uint64_t number = 0;
  std::uint64_t twice = 0;
};

}  // namespace

TEST_CASE("the latest value is taken once, older ones are never seen") {
  LatestValue<int> value;
  CHECK_FALSE(value.is_fresh());
  CHECK(value.take() == nullptr);
  value.put(1);
  value.put(2);
  value.put(3);
  CHECK(value.is_fresh());
  const int* const taken = value.take();
  REQUIRE(taken != nullptr);
  CHECK(*taken == 3);
  CHECK(value.take() == nullptr);
  value.put(4);
  CHECK(*value.take() == 4);
}

TEST_CASE("a reader at full speed sees whole values, ascending, and the last one") {
  constexpr std::uint64_t kLast = 20'000;
  LatestValue<Pair> value;
  std::jthread writer([&value] {
    for (std::uint64_t i = 1; i <= kLast; ++i) value.put({i, 2 * i});
  });
  std::uint64_t seen = 0;
  bool whole = true;
  bool ascending = true;
  while (seen < kLast) {
    const Pair* const pair = value.take();
    if (pair == nullptr) {
      std::this_thread::yield();
      continue;
    }
    whole = whole && pair->twice == 2 * pair->number;
    ascending = ascending && pair->number > seen;
    seen = pair->number;
  }
  CHECK(whole);
  CHECK(ascending);
}

TEST_CASE("a shared queue refuses what it has no room for and keeps the order") {
  SharedQueue<int, 3> queue;
  CHECK_FALSE(queue.pop());
  CHECK(queue.push(1));
  CHECK(queue.push(2));
  CHECK(queue.push(3));
  CHECK_FALSE(queue.push(4));
  CHECK(*queue.pop() == 1);
  CHECK(queue.push(5));
  CHECK(*queue.pop() == 2);
  CHECK(*queue.pop() == 3);
  CHECK(*queue.pop() == 5);
  CHECK_FALSE(queue.pop());
}

TEST_CASE("a shared queue loses nothing between two threads") {
  constexpr std::uint64_t kCount = 20'000;
  SharedQueue<std::uint64_t, 8> queue;
  std::jthread writer([&queue] {
    for (std::uint64_t i = 0; i < kCount; ++i)
      while (!queue.push(i)) std::this_thread::yield();
  });
  bool in_order = true;
  for (std::uint64_t next = 0; next < kCount;) {
    const auto value = queue.pop();
    if (!value) {
      std::this_thread::yield();
      continue;
    }
    in_order = in_order && *value == next;
    ++next;
  }
  CHECK(in_order);
  CHECK_FALSE(queue.pop());
}

TEST_CASE("a wake-up before the wait is not lost, a deadline in the past returns at once") {
  WakeUp wake;
  wake.notify();
  wake.wait();
  wake.wait_until(chain::Instant{});
  wake.notify();
  wake.wait_until(chain::Instant{});
  wake.wait_until(chain::Instant{});
}
