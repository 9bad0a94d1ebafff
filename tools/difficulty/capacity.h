#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace eventchain::tools {

// What a cluster of spare processors can hash in each second of a run.
struct Capacity {
  std::string name;
  std::vector<double> hashes_per_ms;  // a value for each second
};

// Hashes per millisecond where a pattern's factor is 1: a gigahash a second.
inline constexpr double kUnitRate = 1e6;

// Patterns of spare capacity over so many seconds: steady, a sine of a day and a square wave of two
// hours between 1 and 10, a random factor of 1 to 30 (log-uniform, ten minutes each) on half a sine
// of a day, and nearly nothing for half an hour of each six. The same seed gives the same patterns.
std::vector<Capacity> capacities(std::size_t seconds, std::uint64_t seed);

}  // namespace eventchain::tools
