#include "tools/difficulty/run.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

using namespace eventchain::tools;

namespace {

constexpr std::size_t kDay = 24 * 3600;

Capacity capacity(const std::string& name) {
  for (Capacity& one : capacities(kDay, 1))
    if (one.name == name) return one;
  FAIL("no such capacity: " << name);
  return {};
}

RuleSettings settings_for(const Capacity& of, std::uint16_t shares) {
  RuleSettings settings;
  settings.shares = shares;
  settings.first_share_hashes =
      of.hashes_per_ms.front() * static_cast<double>(settings.interval_ms) / shares;
  return settings;
}

Outcome mined(const Capacity& of, std::uint16_t shares,
              std::unique_ptr<DifficultyRule> (*make)(const RuleSettings&),
              std::uint64_t seed = 1) {
  const RuleSettings settings = settings_for(of, shares);
  return mine(of, *make(settings), settings, seed);
}

}  // namespace

TEST_CASE("at a steady rate sixteen shares a block keep the interval within its target") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Outcome outcome = mined(capacity("steady"), 16, own_rule, seed);
    CAPTURE(seed);
    CHECK(outcome.blocks > 2000);
    CHECK(std::abs(outcome.mean - 1) < 0.03);
    CHECK(outcome.p99 <= 1.8);
  }
}

TEST_CASE("without a change of difficulty intervals are those of a Poisson process") {
  const Outcome one = mined(capacity("steady"), 1, epoch_rule);
  CHECK(std::abs(one.mean - 1) < 0.05);
  CHECK(std::abs(one.variation - 1) < 0.05);
  CHECK(std::abs(one.wait - 1) < 0.06);
  // Of sixteen shares: an Erlang distribution.
  const Outcome sixteen = mined(capacity("steady"), 16, epoch_rule);
  CHECK(std::abs(sixteen.variation - 0.25) < 0.02);
  CHECK(std::abs(sixteen.wait - 0.53) < 0.02);
}

TEST_CASE("where capacity jumps, an event waits longer under the other rules") {
  for (const char* name : {"10x square, hourly", "30x random, 10 min"}) {
    const Capacity jumping = capacity(name);
    const Outcome own = mined(jumping, 16, own_rule);
    CAPTURE(name);
    CHECK(own.wait < 0.7);
    for (const auto other : {epoch_rule, lwma_rule}) {
      CHECK(mined(jumping, 16, other).wait > 1.3 * own.wait);
      CHECK(mined(jumping, 16, other).longest > 1.5 * own.longest);
    }
  }
}

TEST_CASE("the same seed mines the same blocks, another one others") {
  const Capacity steady = capacity("steady");
  CHECK(mined(steady, 16, own_rule, 7).longest == mined(steady, 16, own_rule, 7).longest);
  CHECK(mined(steady, 16, own_rule, 7).longest != mined(steady, 16, own_rule, 8).longest);
}
