#include "chain/difficulty.h"

#include <algorithm>

namespace eventchain::chain {

namespace {

// 2^x for x in [0, 1), both in 16 binary digits after the point. The cubic is the one of
// aserti3-2d; its error stays below 0.013 %, and every node gets the same bits from it.
std::uint32_t power_of_two(std::uint32_t fraction) {
  const std::uint64_t x = fraction;
  const std::uint64_t cubic =
      195'766'423'245'049ULL * x + 971'821'376ULL * x * x + 5'127ULL * x * x * x + (1ULL << 47);
  return static_cast<std::uint32_t>(65'536 + (cubic >> 48));
}

U256 saturating_shift_left(const U256& value, unsigned bits) {
  if (value.is_zero()) return value;
  return value.bit_length() + bits > 256 ? U256::max() : value << bits;
}

// target * 2^(exponent / 65536), at least 1, saturating.
U256 scale(const U256& target, std::int64_t exponent) {
  // Right shift of a negative number rounds down in C++20, which is what a floor needs.
  std::int64_t shift = (exponent >> 16) - 16;
  const std::uint32_t factor = power_of_two(static_cast<std::uint32_t>(exponent & 0xffff));
  // The factor has 17 bits. A target without that much room loses its lowest bits, which are
  // beyond the precision of a compact target anyway.
  U256 value = target;
  if (value.bit_length() > 256 - 17) {
    value = value >> 17;
    shift += 17;
  }
  value = value * U256(factor);
  value = shift >= 0 ? saturating_shift_left(value, static_cast<unsigned>(shift))
                     : value >> static_cast<unsigned>(-shift);
  return value.is_zero() ? U256(1) : value;
}

U256 easiest(const Genesis& genesis) {
  const Result<U256> target = expand(genesis.easiest_target);
  EC_ASSERT(target.has_value(), "genesis was checked");
  return *target;
}

// Milliseconds from `from` to `to`, at least 0 and at most `limit`. Stamps come from outside and
// may lie anywhere, so the subtraction must not overflow.
std::int64_t clamped_span(UnixMillis from, UnixMillis to, std::int64_t limit) {
  if (to <= from) return 0;
  const auto span = static_cast<std::uint64_t>(to.value) - static_cast<std::uint64_t>(from.value);
  return span > static_cast<std::uint64_t>(limit) ? limit : static_cast<std::int64_t>(span);
}

}  // namespace

U256 next_target(const Genesis& genesis, const SealedHeader& parent) {
  const bool is_first = parent.header.height == Height{0};
  const Result<U256> before = expand(is_first ? genesis.first_target : parent.header.share_target);
  EC_ASSERT(before.has_value(), "the parent was checked");
  // Without work nothing is to be corrected: pauses of the leader would only harden it.
  if (is_first || genesis.work_function == WorkFunction::kNone) return *before;

  const std::int64_t interval = genesis.interval_ms;
  const std::int64_t solve =
      clamped_span(parent.header.time, parent.seal.sealed_at, kSolveClampIntervals * interval);
  const std::int64_t exponent = (solve - interval) * 65'536 / (kHalfLifeIntervals * interval);
  return std::min(scale(*before, exponent), easiest(genesis));
}

std::uint32_t easing_steps(const Genesis& genesis, UnixMillis started, UnixMillis time) {
  const std::int64_t interval = genesis.interval_ms;
  const std::int64_t first = kEasingAfterIntervals * interval;
  const std::int64_t every = kEasingEveryIntervals * interval;
  const std::int64_t waited = clamped_span(started, time, first + kEasingStepsMax * every);
  if (waited < first) return 0;
  return static_cast<std::uint32_t>(
      std::min<std::int64_t>(1 + (waited - first) / every, kEasingStepsMax));
}

U256 eased(const Genesis& genesis, const U256& target, std::uint32_t steps) {
  const auto bits = kEasingBits * std::min<std::uint32_t>(steps, kEasingStepsMax);
  return std::min(saturating_shift_left(target, bits), easiest(genesis));
}

CompactTarget required_target(const Genesis& genesis, const SealedHeader& parent,
                              UnixMillis started, UnixMillis time) {
  return compact(
      eased(genesis, next_target(genesis, parent), easing_steps(genesis, started, time)));
}

}  // namespace eventchain::chain
