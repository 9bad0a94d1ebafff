#pragma once

#include <cstdint>
#include <string_view>

namespace eventchain::chain {

// A seeded generator whose sequence is ours for ever: std distributions differ between libraries,
// and a replayed seed must give the same bytes everywhere. xoshiro256** 1.0 seeded by splitmix64
// (Blackman and Vigna, 2018). Not for secrets: salts and keys come from the shell's OpenSSL.
class Rng {
 public:
  explicit Rng(std::uint64_t seed);

  std::uint64_t next();
  // Uniform in [0, bound); bound > 0. Unbiased (Lemire's rejection).
  std::uint64_t below(std::uint64_t bound);
  // Uniform in [low, high]; low <= high.
  std::int64_t between(std::int64_t low, std::int64_t high);
  // True with probability numerator / denominator.
  bool chance(std::uint32_t numerator, std::uint32_t denominator);
  // An independent generator for a part of the program; the same label gives the same stream.
  [[nodiscard]] Rng fork(std::string_view label) const;

 private:
  std::uint64_t state_[4];
};

}  // namespace eventchain::chain
