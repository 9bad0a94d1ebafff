#include "tools/difficulty/capacity.h"

#include <cmath>
#include <functional>
#include <numbers>
#include <utility>

#include "chain/rng.h"

namespace eventchain::tools {

namespace {

constexpr std::size_t kHour = 3600;
constexpr std::size_t kDay = 24 * kHour;

// From -1 to 1 and back within a day.
double day_wave(std::size_t second) {
  const double part = static_cast<double>(second % kDay) / static_cast<double>(kDay);
  return std::sin(2 * std::numbers::pi * part);
}

Capacity make(std::string name, std::size_t seconds,
              const std::function<double(std::size_t)>& factor) {
  Capacity capacity{std::move(name), {}};
  capacity.hashes_per_ms.reserve(seconds);
  for (std::size_t second = 0; second < seconds; ++second)
    capacity.hashes_per_ms.push_back(kUnitRate * factor(second));
  return capacity;
}

}  // namespace

std::vector<Capacity> capacities(std::size_t seconds, std::uint64_t seed) {
  std::vector<Capacity> made;
  made.push_back(make("steady", seconds, [](std::size_t) { return 1.0; }));
  made.push_back(make("10x sine per day", seconds,
                      [](std::size_t second) { return 1.0 + 4.5 * (1.0 + day_wave(second)); }));
  made.push_back(make("10x square, hourly", seconds,
                      [](std::size_t second) { return second / kHour % 2 == 0 ? 1.0 : 10.0; }));
  constexpr std::size_t kDwell = 600;
  chain::Rng rng(seed);
  std::vector<double> drawn;
  for (std::size_t start = 0; start < seconds; start += kDwell)
    drawn.push_back(std::pow(30.0, static_cast<double>(rng.below(1'000'000)) / 1e6));
  made.push_back(make("30x random, 10 min", seconds, [&drawn](std::size_t second) {
    return drawn[second / kDwell] * (1.5 + 0.5 * day_wave(second));
  }));
  made.push_back(make("30 min of nothing in 6 h", seconds, [](std::size_t second) {
    return second % (6 * kHour) < 6 * kHour - 1800 ? 1.0 : 1e-6;
  }));
  return made;
}

}  // namespace eventchain::tools
