#include "chain/work_sampling.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "chain/hash.h"
#include "chain/rng.h"

using namespace eventchain::chain;

namespace {

Hash seed_of(std::uint64_t number) {
  return sha256("seed " + std::to_string(number));
}

unsigned octave_of(const U256& place, const U256& total) {
  const U256 to_head = total - place;
  unsigned octave = 0;
  while (to_head <= (total >> (octave + 1))) ++octave;
  return octave;
}

// A history as a forger leaves it: from which work to which nothing was done, in parts of the
// whole.
struct Gap {
  double from, to;
};

// In how many of `rounds` draws no sample lies in a gap.
std::size_t missed(const SamplePlan& plan, const SampledWork& work, const std::vector<Gap>& gaps,
                   std::size_t rounds) {
  std::size_t misses = 0;
  const double total = work.total.to_double();
  for (std::size_t round = 0; round < rounds; ++round) {
    const auto places = sample_places(plan, work, seed_of(round));
    misses += std::ranges::none_of(places, [&](const U256& place) {
      const double at = place.to_double() / total;
      return std::ranges::any_of(gaps,
                                 [&](const Gap& gap) { return gap.from <= at && at < gap.to; });
    });
  }
  return misses;
}

// What WORK_PROOFS.md says that one sample in each octave misses at most, if less than this part of
// some end's work was done.
double miss_bound(double part) {
  return part < 0.75 ? (4 * part - 1) * (4 * part - 1) / (8 * part) : (2 * part - 1) / part;
}

constexpr std::uint64_t kTotal = 1U << 20;
const SampledWork kWork{U256(kTotal), U256(kTotal >> 8), U256(1)};

}  // namespace

TEST_CASE("the number of samples follows from the bits, the tries and the work") {
  const auto plan = [](WorkShare share, std::uint16_t bits, std::uint64_t total, std::uint64_t last,
                       std::uint64_t one_try) {
    const WorkSampling sampling{share, bits, 1};
    const SampledWork work{U256(total), U256(last), U256(one_try)};
    return plan_samples(sampling, work);
  };
  // Nothing is left to draw from: all work is shown anyway, or there is none.
  CHECK(plan(WorkShare::kHalf, 40, 0, 0, 1).octaves == 0);
  CHECK(plan(WorkShare::kHalf, 40, 1000, 1000, 1).octaves == 0);
  CHECK(plan(WorkShare::kHalf, 40, 1001, 1000, 1).octaves == 1);
  CHECK(plan(WorkShare::kHalf, 40, 1999, 1000, 1).octaves == 1);
  CHECK(plan(WorkShare::kHalf, 40, 2002, 1000, 1).octaves == 2);
  CHECK(plan(WorkShare::kHalf, 40, 1 << 20, 1 << 6, 1).octaves == 14);
  // 40 bits, and 11 for 1,024 tries.
  CHECK(plan(WorkShare::kHalf, 40, 1024, 1, 1).each == 26);
  CHECK(plan(WorkShare::kHalf, 40, 1024 * 7, 1, 7).each == 26);
  CHECK(plan(WorkShare::kThreeQuarters, 40, 1024, 1, 1).each == 88);  // 51 * 12 / 7
  CHECK(plan(WorkShare::kNineTenths, 40, 1024, 1, 1).each == 306);
  CHECK(plan(WorkShare::kHalf, 40, 1024, 1, 2000).each == 20);  // not one try
  const SampledWork most{(U256(1) << 128) - U256(1), U256(1), U256(1)};
  CHECK(plan_samples({WorkShare::kNineTenths, 128, 1}, most).samples() == 127 * 6 * 256);

  CHECK(check_sampling({WorkShare::kHalf, 1, 1}));
  CHECK(check_sampling({WorkShare::kNineTenths, 128, 4096}));
  CHECK_FALSE(check_sampling({WorkShare::kHalf, 0, 1}));
  CHECK_FALSE(check_sampling({WorkShare::kHalf, 129, 1}));
  CHECK_FALSE(check_sampling({WorkShare::kHalf, 1, 0}));
  CHECK_FALSE(check_sampling({WorkShare::kHalf, 1, 4097}));
  for (const unsigned percent : {50U, 75U, 90U})
    CHECK(percent_of(work_share_of(percent).value()) == percent);
  CHECK_FALSE(work_share_of(51));
}

TEST_CASE("samples for a bit are enough for it") {
  for (const WorkShare share :
       {WorkShare::kHalf, WorkShare::kThreeQuarters, WorkShare::kNineTenths}) {
    const double part = percent_of(share) / 100.0;
    for (const unsigned bits : {1U, 7U, 40U, 100U, 128U}) {
      const auto wanted = static_cast<std::uint16_t>(bits);
      const SamplePlan plan = plan_samples({share, wanted, 1}, {U256(1), U256(0), U256(2)});
      const double certainty = -1.0 * plan.each * std::log2(miss_bound(part));
      CHECK(certainty >= bits - 1e-9);
      CHECK(certainty <= bits * 1.03 + 2);
    }
  }
}

TEST_CASE("places are the ones that any other program draws") {
  const SampledWork work{U256(1'000'000), U256(300'000), U256(16)};
  const auto places = sample_places({2, 3}, work, seed_of(1));
  std::vector<std::string> told;
  for (const U256& place : places) told.push_back(place.to_decimal());
  CHECK(told ==
        std::vector<std::string>{"383097", "421847", "424863", "515443", "527900", "720619"});
}

TEST_CASE("every octave has its samples, spread evenly over it") {
  constexpr unsigned kBins = 16;
  constexpr std::size_t kRounds = 4000;
  const SamplePlan plan{8, 3};
  std::vector<std::vector<std::size_t>> counts(plan.octaves, std::vector<std::size_t>(kBins));
  for (std::size_t round = 0; round < kRounds; ++round) {
    const auto places = sample_places(plan, kWork, seed_of(round));
    REQUIRE(std::ranges::is_sorted(places));
    std::vector<unsigned> in_octave(plan.octaves);
    for (const U256& place : places) {
      REQUIRE(place < kWork.total);
      const unsigned octave = octave_of(place, kWork.total);
      REQUIRE(octave < plan.octaves);
      ++in_octave[octave];
      const std::uint64_t to_head = kTotal - place.limbs()[0];
      const std::uint64_t least = kTotal >> (octave + 1);
      ++counts[octave][(to_head - least - 1) * kBins / least];
    }
    REQUIRE(std::ranges::all_of(in_octave, [&](unsigned count) { return count == plan.each; }));
  }
  for (const auto& bins : counts) {
    const double expected = static_cast<double>(kRounds * plan.each) / kBins;
    double chi_square = 0;
    for (const std::size_t count : bins) {
      const double off = static_cast<double>(count) - expected;
      chi_square += off * off / expected;
    }
    // 15 degrees of freedom: 37.7 is exceeded once in a thousand.
    CHECK(chi_square < 37.7);
    CHECK(chi_square > 2);
  }
}

TEST_CASE("a forger is missed as often as the formula says, and no more") {
  constexpr std::size_t kRounds = 20'000;
  struct Story {
    const char* who;
    double part;  // of an end's work that was done
    unsigned each;
    std::vector<Gap> gaps;
    bool is_worst;  // the bound is reached
  };
  // A fork that begins where `fork` of the work is left: its first blocks are the idle ones, for
  // the last ones are looked at most closely.
  const auto first_of_fork = [](double fork, double part) {
    return std::vector<Gap>{{1 - fork, 1 - fork * part}};
  };
  const std::vector<Story> stories = {
      {"the first half of all", 0.5, 1, first_of_fork(1, 0.5), false},
      {"half of a fork over two octaves", 0.5, 1, first_of_fork(0.75, 0.5), true},
      {"the same twice", 0.5, 2, first_of_fork(0.75, 0.5), true},
      {"the same thrice", 0.5, 3, first_of_fork(0.75, 0.5), true},
      {"half of a short fork", 0.5, 2, first_of_fork(0.75 / 16, 0.5), true},
      {"half, spread over two octaves", 0.5, 1, {{0, 0.375}, {0.5, 0.625}}, false},
      {"half, and the last", 0.5, 2, {{0.5, 1}}, false},
      {"a quarter of a fork", 0.75, 3, first_of_fork(2.0 / 3, 0.75), true},
      {"a tenth of a fork", 0.9, 12, first_of_fork(1 / 1.8, 0.9), true},
      {"a tenth of all", 0.9, 12, first_of_fork(1, 0.9), false},
  };
  for (const Story& story : stories) {
    INFO(story.who);
    const double measured =
        static_cast<double>(missed({8, story.each}, kWork, story.gaps, kRounds)) / kRounds;
    const double bound = std::pow(miss_bound(story.part), story.each);
    const double sigma = std::sqrt(bound * (1 - bound) / kRounds);
    CHECK(measured <= bound + 4 * sigma);
    if (story.is_worst) CHECK(measured >= bound - 4 * sigma);
  }
}

TEST_CASE("no way to spread what was not done is better than the bound") {
  // All ways to leave work undone in the first octaves of a fork that begins in the first octave,
  // in steps: `fork` of the work is left where it begins, `done[j]` of octave j was done. What lies
  // before the fork was done. Octaves behind the fourth are all done: the forger has to spare
  // there.
  constexpr int kSteps = 24;
  for (const double part : {0.5, 0.6, 0.75, 0.8, 0.9, 0.95}) {
    double worst = 0;
    for (int f = kSteps / 2 + 1; f <= kSteps; ++f) {
      const double fork = static_cast<double>(f) / kSteps;
      const double may_be_undone = (1 - part) * fork;
      for (int a = 0; a <= kSteps; ++a)
        for (int b = 0; b <= kSteps; ++b)
          for (int c = 0; c <= kSteps; ++c) {
            const double undone[3] = {static_cast<double>(a) / kSteps / 2,
                                      static_cast<double>(b) / kSteps / 4,
                                      static_cast<double>(c) / kSteps / 8};
            if (undone[0] > fork - 0.5 + 1e-12) continue;  // lies before the fork
            // Who leaves less undone than he claims is no forger by this part.
            if (undone[0] + undone[1] + undone[2] < may_be_undone - 1e-12) continue;
            worst =
                std::max(worst, (1 - 2 * undone[0]) * (1 - 4 * undone[1]) * (1 - 8 * undone[2]));
          }
    }
    INFO("part ", part);
    CHECK(worst <= miss_bound(part) + 1e-9);
    CHECK(worst >= miss_bound(part) * 0.9);
  }
}

TEST_CASE("places hang on the first share of the head and on its template, and on nothing else") {
  SealedHeader head;
  head.header.height = Height{7};
  head.seal.shares = {{1, 2}, {3, 4}};
  const Hash seed = sampling_seed(head);
  SealedHeader other = head;
  other.seal.sealed_at.value += 1;  // can be chosen for nothing
  CHECK(block_id(other) != block_id(head));
  CHECK(sampling_seed(other) == seed);
  other = head;
  other.seal.shares[1] = {5, 6};  // so can which of some shares too many are in the seal
  CHECK(sampling_seed(other) == seed);
  other = head;
  other.seal.shares[0].low = 3;
  CHECK(sampling_seed(other) != seed);
  other = head;
  other.header.time.value += 1;
  CHECK(sampling_seed(other) != seed);
}
