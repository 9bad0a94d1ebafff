#include "chain/target.h"

#include <fmt/format.h>

namespace eventchain::chain {

namespace {

constexpr std::uint32_t kMantissaMax = 0xffffff;
constexpr std::uint32_t kMantissaFull = 0x010000;  // the least with all three octets in use
constexpr unsigned kExponentMin = 3;
constexpr unsigned kExponentMax = 32;

}  // namespace

Result<U256> expand(CompactTarget target) {
  const unsigned exponent = target.bits >> 24;
  const std::uint32_t mantissa = target.bits & kMantissaMax;
  const bool is_canonical =
      exponent == kExponentMin
          ? mantissa > 0
          : exponent > kExponentMin && exponent <= kExponentMax && mantissa >= kMantissaFull;
  if (!is_canonical)
    return fail(ErrorCode::kMalformed,
                fmt::format("compact target 0x{:08x} is not canonical; use exponent 4..32 with a "
                            "mantissa of at least 0x010000, or exponent 3 with any but zero",
                            target.bits));
  return U256(mantissa) << (8 * (exponent - kExponentMin));
}

CompactTarget compact(const U256& target) {
  EC_ASSERT(!target.is_zero(), "a target of zero has no compact form");
  const unsigned octets = (target.bit_length() + 7) / 8;
  const unsigned exponent = octets < kExponentMin ? kExponentMin : octets;
  const U256 mantissa = target >> (8 * (exponent - kExponentMin));
  return CompactTarget{(exponent << 24) | static_cast<std::uint32_t>(mantissa.limbs()[0])};
}

U256 expected_hashes(const U256& target) {
  // Every hash meets the greatest target; no 256-bit number says what target zero takes.
  if (target == U256::max()) return U256(1);
  if (target.is_zero()) return U256::max();
  // 2^256 does not fit, so divide 2^256 - (t + 1), which is ~t, and add the one taken away.
  return ~target / (target + U256(1)) + U256(1);
}

U256 target_for(const U256& hashes) {
  EC_ASSERT(!hashes.is_zero(), "finding a share takes at least one hash");
  // floor(2^256 / h) - 1 = floor((2^256 - h) / h), and 2^256 - h is -h in 256 bits.
  return (U256() - hashes) / hashes;
}

}  // namespace eventchain::chain
