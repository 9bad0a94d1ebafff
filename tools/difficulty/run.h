#pragma once

#include <cstdint>
#include <vector>

#include "tools/difficulty/capacity.h"
#include "tools/difficulty/rules.h"

namespace eventchain::tools {

// What a rule made of a capacity, in target intervals.
struct Outcome {
  std::size_t blocks = 0;
  double mean = 0;
  double variation = 0;  // standard deviation of the intervals by their mean
  double p99 = 0;
  double longest = 0;        // with the one that the run's end cut off
  double wait = 0;           // of an event that comes at any moment; 1 for exponential intervals
  double most_a_minute = 0;  // blocks in any minute, by those that there should be
};

// Mines from one end of the capacity to the other: shares come as a Poisson process with the rate
// that hash rate and difficulty give. The same seed gives the same outcome.
Outcome mine(const Capacity& capacity, DifficultyRule& rule, const RuleSettings& settings,
             std::uint64_t seed);

}  // namespace eventchain::tools
