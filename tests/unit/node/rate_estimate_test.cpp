#include "node/api/rate_estimate.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "../mined_blocks.h"
#include "chain/rng.h"

using namespace eventchain;
using namespace eventchain::chain;
using namespace eventchain::chain::testing;
using namespace eventchain::node;
using doctest::Approx;

namespace {

constexpr std::size_t kShares = 16;

// Uniform in (0, 1].
double part(Rng& rng) {
  return (static_cast<double>(rng.next() >> 11) + 1) * 0x1p-53;
}

// A block that members with these rates (hashes a millisecond) mine: shares come as a Poisson
// process and the last one ends it.
SealedHeader mined_block(Rng& rng, std::uint64_t height, std::uint64_t hashes_each,
                         const std::vector<double>& rates) {
  double total = 0;
  for (const double rate : rates) total += rate;
  double elapsed = 0;
  std::vector<std::uint16_t> slots;
  for (std::size_t i = 0; i < kShares; ++i) {
    elapsed += -std::log(part(rng)) * static_cast<double>(hashes_each) / total;
    double pick = part(rng) * total;
    std::uint16_t slot = 0;
    while (slot + 1U < rates.size() && (pick -= rates[slot]) > 0) ++slot;
    slots.push_back(slot);
  }
  return block_of(height, hashes_each, static_cast<std::int64_t>(elapsed), slots);
}

bool holds(const RateEstimate& estimate, double per_second) {
  return estimate.low <= per_second && per_second <= estimate.high;
}

}  // namespace

TEST_CASE("a rate is shares times hashes each over the time of mining") {
  HashRates rates;
  const MemberSet members = members_at_slots({{1, 0}, {2, 1}, {3, 2}});
  rates.add(block_of(1, 1 << 20, 2'000, {0, 0, 0, 1}), members);
  rates.add(block_of(2, 1 << 21, 6'000, {0, 1, 1, 1}), members);
  // 4 * 2^20 + 4 * 2^21 hashes in 8 s.
  const auto total = estimate_rate(rates.total());
  REQUIRE(total.has_value());
  CHECK(total->per_second == Approx(1.5 * (1 << 20)).epsilon(1e-4));
  const auto first = estimate_rate(rates.members().at(id_of(1)).sum);
  CHECK(first->per_second == Approx((3.0 + 2) * (1 << 20) / 8).epsilon(1e-4));
  // Who found nothing has no rate to speak of, but a bound: a Poisson count of 0 has the mean 3.69
  // at most, in 97.5 of 100 cases.
  const auto none = estimate_rate(rates.members().at(id_of(3)).sum);
  CHECK(none->per_second == 0);
  CHECK(none->low == 0);
  CHECK(none->high == Approx(3.6889 * (1 << 21) / 8).epsilon(1e-4));
}

TEST_CASE("the bounds are those of tables, with few shares and with many") {
  const auto of = [](std::uint64_t shares) {
    ShareSum sum;
    sum.add({1'000, 1'000}, shares);
    return *estimate_rate(sum);
  };
  // Exact Poisson limits (Garwood 1936), as in tables: 1: 0.0253 5.5716, 10: 4.795 18.390,
  // 100: 81.36 121.63.
  CHECK(of(1).low == Approx(0.0253).epsilon(2e-3));
  CHECK(of(1).high == Approx(5.5716).epsilon(1e-4));
  CHECK(of(10).low == Approx(4.795).epsilon(1e-3));
  CHECK(of(10).high == Approx(18.390).epsilon(1e-4));
  CHECK(of(100).low == Approx(81.36).epsilon(1e-3));
  CHECK(of(100).high == Approx(121.63).epsilon(1e-4));
  // Nothing jumps on the way to many, and 1/sqrt(n) is what it comes to.
  CHECK(of(200).low / of(199).low == Approx(200.0 / 199).epsilon(1e-3));
  CHECK(of(200).high / of(199).high == Approx(200.0 / 199).epsilon(1e-3));
  CHECK(of(10'000).high - of(10'000).low == Approx(2 * 1.96 * 100).epsilon(0.01));
}

TEST_CASE("hard shares tell less than as many of equal hardness") {
  ShareSum equal;
  equal.add({100, 1}, 10);
  equal.add({100, 1}, 10);
  ShareSum unequal;
  unequal.add({10, 1}, 10);
  unequal.add({190, 1}, 10);
  REQUIRE(equal.hashes == unequal.hashes);
  CHECK(estimate_rate(unequal)->low < estimate_rate(equal)->low);
  CHECK(estimate_rate(unequal)->high > estimate_rate(equal)->high);
}

TEST_CASE("without time or shares there is no rate and no division by zero") {
  CHECK_FALSE(estimate_rate(ShareSum{}).has_value());
  HashRates rates;
  const MemberSet members = members_at_slots({{1, 0}});
  rates.add(block_of(1, 1 << 10, 0, {0}), members);
  CHECK_FALSE(estimate_rate(rates.total()).has_value());
}

TEST_CASE("simulated members have the rates that their shares tell, as often as promised") {
  constexpr std::uint64_t kSeed = 20'250'131;
  INFO("seed ", kSeed);
  Rng rng(kSeed);
  const std::vector<double> rates = {100, 30, 3};  // hashes a millisecond
  const MemberSet members = members_at_slots({{1, 0}, {2, 1}, {3, 2}});
  constexpr int kRuns = 600;
  constexpr int kBlocks = 20;
  std::vector<int> covered(rates.size(), 0);
  int total_covered = 0;
  double mean = 0;
  double worst_sum = 0;
  for (int run = 0; run < kRuns; ++run) {
    HashRates found;
    // Targets wander as the difficulty does.
    for (std::uint64_t height = 1; height <= kBlocks; ++height)
      found.add(mined_block(rng, height, 40'000 + rng.below(80'000), rates), members);
    double sum = 0;
    for (std::size_t i = 0; i < rates.size(); ++i) {
      const auto own =
          estimate_rate(found.members().at(id_of(static_cast<std::uint8_t>(i + 1))).sum);
      REQUIRE(own.has_value());
      covered[i] += holds(*own, rates[i] * 1'000) ? 1 : 0;
      sum += own->per_second;
    }
    const auto total = estimate_rate(found.total());
    worst_sum = std::max(worst_sum, std::abs(sum / total->per_second - 1));
    total_covered += holds(*total, 133'000) ? 1 : 0;
    mean += total->per_second / kRuns;
  }
  CHECK(worst_sum < 1e-9);
  // 320 shares each run: the mean of 600 runs is known to a quarter of a percent, and a count that
  // ends with a share lies high by about one share in 320.
  CHECK(mean == Approx(133'000).epsilon(0.015));
  for (const int count : covered) CHECK(count >= kRuns * 94 / 100);
  CHECK(total_covered >= kRuns * 94 / 100);
  CHECK(covered[0] < kRuns);  // bounds that always held would say nothing
}
