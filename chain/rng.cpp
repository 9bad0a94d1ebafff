#include "chain/rng.h"

#include <bit>

#include "chain/result.h"

namespace eventchain::chain {

namespace {

std::uint64_t splitmix(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

Rng::Rng(std::uint64_t seed) {
  for (auto& word : state_) word = splitmix(seed);
}

std::uint64_t Rng::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::uint64_t Rng::below(std::uint64_t bound) {
  EC_ASSERT(bound > 0, "an empty range has no element");
  const std::uint64_t threshold = (0 - bound) % bound;
  while (true) {
    const std::uint64_t value = next();
    if (value >= threshold) return value % bound;
  }
}

std::int64_t Rng::between(std::int64_t low, std::int64_t high) {
  EC_ASSERT(low <= high, "range upside down");
  const auto width = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
  if (width == 0) return static_cast<std::int64_t>(next());
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + below(width));
}

bool Rng::chance(std::uint32_t numerator, std::uint32_t denominator) {
  return below(denominator) < numerator;
}

Rng Rng::fork(std::string_view label) const {
  std::uint64_t seed = state_[0] ^ std::rotl(state_[3], 13);
  for (char c : label) seed = (seed ^ static_cast<std::uint8_t>(c)) * 0x100000001b3ULL;
  return Rng(seed);
}

}  // namespace eventchain::chain
