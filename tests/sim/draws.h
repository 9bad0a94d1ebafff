#pragma once

#include <bit>
#include <chrono>
#include <cstdint>

#include "chain/rng.h"
#include "tests/sim/scheduler.h"

// Random draws in whole numbers, so that a seed gives the same run under every compiler.
namespace eventchain::sim {

// Uniform in [low, high].
inline Span draw_span(chain::Rng& rng, Span low, Span high) {
  return Span(rng.between(low.count(), high.count()));
}

// An id, a key, a salt.
template <class Kind>
Kind draw_octets(chain::Rng& rng) {
  Kind drawn;
  for (auto& octet : drawn.octets) octet = static_cast<std::uint8_t>(rng.next());
  return drawn;
}

// Exponential with this mean: -ln(u) from the position of the highest one-bit and a parabola
// between powers of two, which is within 1 % and the same on every machine.
inline Span draw_exponential(chain::Rng& rng, Span mean) {
  const std::uint64_t u = rng.next() | 1;
  const auto zeros = static_cast<unsigned>(std::countl_zero(u));
  const std::uint64_t fraction = zeros >= 63 ? 0 : (u << (zeros + 1)) >> 48;  // in 65,536ths
  constexpr std::uint64_t kBulge = 22'544;  // log2(1 + f) is about f + 0.344 f (1 - f)
  const std::uint64_t bulge = (kBulge * ((fraction * (65'536 - fraction)) >> 16)) >> 16;
  const std::uint64_t log2 = ((std::uint64_t{zeros} + 1) << 16) - fraction - bulge;
  constexpr std::uint64_t kLn2 = 45'426;  // in 65,536ths
  const std::uint64_t factor = (log2 * kLn2) >> 16;
  const auto whole = static_cast<std::uint64_t>(mean.count());
  return Span(static_cast<std::int64_t>(((whole >> 8) * factor) >> 8));
}

}  // namespace eventchain::sim
