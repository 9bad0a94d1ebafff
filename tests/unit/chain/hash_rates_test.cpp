#include "chain/hash_rates.h"

#include <doctest/doctest.h>

#include <cmath>

#include "../mined_blocks.h"
#include "chain_fixture.h"

using namespace eventchain::chain;
using namespace eventchain::chain::testing;
using doctest::Approx;

TEST_CASE("a share stands for the hashes that one takes, and each counts for who found it") {
  HashRates rates;
  const MemberSet members = members_at_slots({{1, 0}, {2, 1}, {3, 2}});
  rates.add(block_of(1, 1 << 20, 2'000, {0, 0, 0, 1}), members);
  rates.add(block_of(2, 1 << 21, 6'000, {0, 1, 1, 1}), members);
  CHECK(rates.total().hashes == Approx(4.0 * (1 << 20) + 4.0 * (1 << 21)).epsilon(1e-4));
  CHECK(rates.total().seconds == Approx(8));
  const auto& first = rates.members().at(id_of(1));
  CHECK(first.sum.hashes == Approx((3.0 + 2) * (1 << 20)).epsilon(1e-4));
  CHECK(rates.members().at(id_of(2)).sum.shares == 4);
  CHECK(rates.members().at(id_of(2)).last_height == Height{2});
  CHECK(rates.members().at(id_of(2)).last_sealed_at == UnixMillis{11'000});
  const auto& idle = rates.members().at(id_of(3));
  CHECK_FALSE(idle.last_height.has_value());
  CHECK(idle.sum.shares == 0);
  CHECK(idle.sum.blocks == 2);
}

TEST_CASE("stamps that go back are no time, and no target is no work") {
  SealedHeader backwards = block_of(2, 1 << 10, 0, {0});
  backwards.seal.sealed_at.value = INT64_MIN;
  CHECK(mining_facts(backwards).seconds == 0);
  backwards.header.share_target = CompactTarget{0};
  CHECK(mining_facts(backwards).hashes_each == 0);
}

TEST_CASE("a slot that passes to another member takes no shares along") {
  HashRates rates;
  rates.add(block_of(1, 1 << 10, 1'000, {0, 1}), members_at_slots({{1, 0}, {2, 1}}));
  rates.add(block_of(2, 1 << 10, 3'000, {0, 1}), members_at_slots({{1, 0}, {3, 1}}));
  CHECK(rates.members().at(id_of(1)).sum.shares == 2);
  CHECK(rates.members().at(id_of(2)).sum.shares == 1);
  CHECK(rates.members().at(id_of(3)).sum.shares == 1);
  // Each by the time in which it was there.
  CHECK(rates.members().at(id_of(2)).sum.seconds == Approx(1));
  CHECK(rates.members().at(id_of(3)).sum.seconds == Approx(3));
  CHECK(rates.total().shares == 4);
}

TEST_CASE("only the newest blocks make the recent sum") {
  RecentShares recent(2);
  CHECK(recent.sum() == ShareSum{});
  recent.add(block_of(1, 1 << 20, 1, {0, 0}));
  for (std::uint64_t height = 2; height < 4; ++height)
    recent.add(block_of(height, 1 << 10, 1'000, {0, 0}));
  CHECK(recent.sum().blocks == 2);
  CHECK(recent.sum().hashes == Approx(4 * (1 << 10)).epsilon(1e-4));
  CHECK(recent.sum().seconds == Approx(2));
}

TEST_CASE("the time to the next block is what is missing, at the rate there is") {
  const U256 target = target_for(U256(1'000));
  CHECK(expected_seconds(target, 16, 8'000) == Approx(2));
  CHECK(expected_seconds(target, 4, 8'000) == Approx(0.5));
  CHECK(expected_seconds(target, 0, 0) == 0);
  CHECK(std::isinf(expected_seconds(target, 1, 0)));
}
