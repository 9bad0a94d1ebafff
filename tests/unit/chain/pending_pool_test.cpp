#include "chain/pending_pool.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>

#include "chain_fixture.h"

using namespace eventchain::chain;
using namespace eventchain::chain::testing;

namespace {

// The same contract over one vector, searched from end to end.
struct NaivePool {
  std::vector<PendingEvent> events;

  std::vector<Commitment> of_key(const EventKey& key) const {
    std::vector<Commitment> result;
    for (const PendingEvent& event : events)
      if (event.facts.key == key) result.push_back(event.facts.commitment);
    return result;
  }
  bool remove(const Commitment& commitment) {
    const auto found = std::find_if(events.begin(), events.end(), [&](const PendingEvent& event) {
      return event.facts.commitment == commitment;
    });
    if (found == events.end()) return false;
    events.erase(found);
    return true;
  }
};

void check_equal(const PendingPool& pool, const NaivePool& naive) {
  REQUIRE(pool.size() == naive.events.size());
  std::size_t bytes = 0;
  auto held = pool.in_order().begin();
  for (const PendingEvent& expected : naive.events) {
    const PendingEvent& event = *held++;
    REQUIRE(event.facts == expected.facts);
    REQUIRE(event.arrival == expected.arrival);
    REQUIRE(event.since == expected.since);
    REQUIRE(event.stage == expected.stage);
    REQUIRE(event.is_key_taken == expected.is_key_taken);
    REQUIRE(pool.find(expected.facts.commitment) == &event);
    REQUIRE(pool.find(short_id(expected.facts.commitment)) == &event);
    bytes += expected.facts.body_bytes;
  }
  REQUIRE(pool.bytes() == bytes);
}

}  // namespace

TEST_CASE("the pending pool does what a searched list does") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    INFO("seed ", seed);
    Rng rng(seed);
    PendingPool pool{PoolLimits{}};
    NaivePool naive;
    std::uint64_t next = 0;
    for (int step = 0; step < 400; ++step) {
      const EventKey key = key_of(rng.below(20));
      const Commitment commitment = commitment_of(rng.below(next + 3));
      switch (rng.below(6)) {
        case 0:
        case 1: {
          EventFacts facts = facts_of(next, 0);
          facts.key = key;
          facts.body_bytes = static_cast<std::uint32_t>(rng.below(500));
          const Instant now{std::chrono::seconds(step)};
          pool.add(facts, 2 * next, now);
          naive.events.push_back(PendingEvent{facts, 2 * next, now});
          ++next;
          break;
        }
        case 2:
          pool.mark_durable(commitment);
          for (PendingEvent& event : naive.events)
            if (event.facts.commitment == commitment) event.stage = PendingStage::kDurable;
          break;
        case 3:
          CHECK(pool.remove(commitment) == naive.remove(commitment));
          break;
        case 4:
          pool.mark_key_taken(key);
          for (PendingEvent& event : naive.events)
            if (event.facts.key == key) event.is_key_taken = true;
          break;
        default: {
          const std::vector<Commitment> expected = naive.of_key(key);
          std::vector<Commitment> seen;
          for (const PendingEvent* variant : pool.variants(key))
            seen.push_back(variant->facts.commitment);
          CHECK(seen == expected);
          const PendingEvent* any = pool.any_variant(key);
          CHECK((any != nullptr) == !expected.empty());
          if (any != nullptr) CHECK(any->facts.key == key);
          if (!rng.chance(1, 3)) break;
          std::vector<Commitment> taken;
          for (const PendingEvent& event : pool.take(key)) taken.push_back(event.facts.commitment);
          CHECK(taken == expected);
          for (const Commitment& gone : expected) naive.remove(gone);
        }
      }
      check_equal(pool, naive);
    }
  }
}

TEST_CASE("the pool tells when it is above a share of either limit, and still takes more") {
  PendingPool pool{PoolLimits{.events_max = 4, .bytes_max = 1'000}};
  CHECK_FALSE(pool.is_above(1));
  pool.add(facts_of(1, 0), 1, {});
  pool.add(facts_of(2, 0), 2, {});
  CHECK(pool.is_above(49));
  CHECK_FALSE(pool.is_above(50));
  pool.add(facts_of(3, 0), 3, {});
  pool.add(facts_of(4, 0), 4, {});
  CHECK_FALSE(pool.is_above(100));
  pool.add(facts_of(5, 0), 5, {});
  CHECK(pool.is_above(100));
  CHECK(pool.size() == 5);

  PendingPool heavy{PoolLimits{.events_max = 100, .bytes_max = 150}};
  heavy.add(facts_of(1, 0), 1, {});
  CHECK(heavy.is_above(66));
  CHECK_FALSE(heavy.is_above(67));
  heavy.add(facts_of(2, 0), 2, {});
  CHECK(heavy.is_above(100));
}

TEST_CASE("the room below a share ends with the events or with their octets") {
  PendingPool pool{PoolLimits{.events_max = 10, .bytes_max = 300}};
  CHECK(pool.room_below(60) == 6);
  pool.add(facts_of(1, 0), 1, {});
  CHECK(pool.room_below(60) == 5);
  CHECK(pool.room_below(10) == 0);
  pool.add(facts_of(2, 0), 2, {});
  CHECK(pool.bytes() == 200);
  CHECK(pool.room_below(66) == 0);
  CHECK(pool.room_below(67) == 4);
  CHECK(pool.find(ShortId{}) == nullptr);
}

TEST_CASE("limits as large as the machine allows do not overflow") {
  PendingPool pool{PoolLimits{.events_max = SIZE_MAX, .bytes_max = SIZE_MAX}};
  pool.add(facts_of(1, 0), 1, {});
  CHECK_FALSE(pool.is_above(1));
}

TEST_CASE("a pool that filled, drained and filled again keeps order and addresses") {
  PendingPool pool{PoolLimits{}};
  NaivePool naive;
  std::vector<const PendingEvent*> addresses;
  const auto add = [&](std::uint64_t number) {
    naive.events.push_back(PendingEvent{facts_of(number, 0), number, Instant{}});
    addresses.push_back(&pool.add(naive.events.back().facts, number, Instant{}));
  };
  for (std::uint64_t number = 0; number < 1'500; ++number) add(number);
  check_equal(pool, naive);
  // Every third one waits on, as an event does whose version is not reached yet.
  for (std::uint64_t number = 0; number < 1'500; ++number) {
    if (number % 3 == 0) continue;
    REQUIRE(pool.remove(commitment_of(number)));
    naive.remove(commitment_of(number));
  }
  check_equal(pool, naive);
  for (std::uint64_t number = 1'500; number < 4'000; ++number) add(number);
  check_equal(pool, naive);
  for (std::uint64_t number = 0; number < 4'000; ++number) {
    const PendingEvent* held = pool.find(commitment_of(number));
    if (held != nullptr) REQUIRE(held == addresses[number]);
  }
}
