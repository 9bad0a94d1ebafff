#pragma once

#include "chain/types.h"

// What a stamp of the chain may be: genesis, templates and seals. Stamps are a leader's, so they
// may lie anywhere; within this range sums and differences of stamps, and of a stamp and any span
// that a clock measures, are far from the end of 64 bits.
namespace eventchain::chain {

inline constexpr UnixMillis kStampMin{0};
// The end of the year 9999, the last that RFC 3339 can write.
inline constexpr UnixMillis kStampMax{253'402'300'799'999};

constexpr bool is_stamp(UnixMillis time) {
  return time >= kStampMin && time <= kStampMax;
}

}  // namespace eventchain::chain
