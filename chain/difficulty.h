#pragma once

#include "chain/block.h"
#include "chain/genesis.h"

namespace eventchain::chain {

// Integer ASERT on solve time (after the aserti3-2d specification of Bitcoin Cash, applied to
// sealed_at - time of the parent instead of block spacing, so that idle pauses do not count):
//   target(h+1) = target(h) * 2^((solve(h) - interval) / half_life), solve clamped, floor applied.
// The parent's own target enters, eased or not: what was really worked is what is corrected.
// With the work function `none` the first target stays for ever, and is the easiest there is.
inline constexpr std::int64_t kHalfLifeIntervals = 4;
inline constexpr std::int64_t kSolveClampIntervals = 16;

// The easing rule below.
inline constexpr std::int64_t kEasingAfterIntervals = 4;
inline constexpr std::int64_t kEasingEveryIntervals = 2;
inline constexpr std::uint32_t kEasingBits = 4;       // a factor 16 each step
inline constexpr std::uint32_t kEasingStepsMax = 64;  // 256 bits: nothing is left to ease

// Share target of the first template after `parent` (the genesis block: genesis.first_target).
U256 next_target(const Genesis& genesis, const SealedHeader& parent);

// A template that could not be sealed may be replaced by one at the same height with an easier
// target; how much easier follows from the header's own two stamps: nothing before 4 intervals
// since `started`, then a factor 16, and 16 more for every further 2 intervals.
std::uint32_t easing_steps(const Genesis& genesis, UnixMillis started, UnixMillis time);
U256 eased(const Genesis& genesis, const U256& target, std::uint32_t steps);

// The only valid share target of a header with these stamps on top of `parent`.
CompactTarget required_target(const Genesis& genesis, const SealedHeader& parent,
                              UnixMillis started, UnixMillis time);

}  // namespace eventchain::chain
