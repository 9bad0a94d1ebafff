#pragma once

#include "chain/result.h"
#include "chain/u256.h"

namespace eventchain::chain {

// A 256-bit bound in 32 bits: exponent octet e and 24-bit mantissa m, value m * 256^(e-3), as in
// Bitcoin's nBits but without the sign bit. Canonical: m >= 0x010000 unless e == 3, never zero.
struct CompactTarget {
  std::uint32_t bits = 0;
  auto operator<=>(const CompactTarget&) const = default;
};

// kMalformed for a non-canonical or out-of-range spelling.
Result<U256> expand(CompactTarget target);
// The greatest compact target <= `target`; `target` > 0.
CompactTarget compact(const U256& target);

// Expected number of hashes until one is <= target: floor(2^256 / (target + 1)).
// The greatest number for a target of zero, where it does not fit.
U256 expected_hashes(const U256& target);
// The greatest target whose expected number of hashes is at least `hashes` (> 0).
U256 target_for(const U256& hashes);

}  // namespace eventchain::chain
