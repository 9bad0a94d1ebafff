#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>

#include "chain/bytes.h"

namespace eventchain::chain {

// Unsigned 256-bit integer for targets and work. Wraps modulo 2^256 like any unsigned type; the
// callers that must not wrap use the saturating forms.
class U256 {
 public:
  constexpr U256() = default;
  constexpr explicit U256(std::uint64_t low) : limbs_{low, 0, 0, 0} {}
  static constexpr U256 from_limbs(std::array<std::uint64_t, 4> little_endian_limbs) {
    U256 result;
    result.limbs_ = little_endian_limbs;
    return result;
  }
  static U256 max();

  std::strong_ordering operator<=>(const U256& other) const;
  bool operator==(const U256&) const = default;

  friend U256 operator+(const U256& a, const U256& b);
  friend U256 operator-(const U256& a, const U256& b);
  friend U256 operator*(const U256& a, const U256& b);
  friend U256 operator/(const U256& a, const U256& b);  // b != 0
  friend U256 operator<<(const U256& a, unsigned bits);
  friend U256 operator>>(const U256& a, unsigned bits);
  friend U256 operator~(const U256& a);

  [[nodiscard]] bool is_zero() const { return *this == U256(); }
  [[nodiscard]] unsigned bit_length() const;  // 0 for zero
  [[nodiscard]] const std::array<std::uint64_t, 4>& limbs() const { return limbs_; }
  [[nodiscard]] double to_double() const;  // for display and metrics only
  [[nodiscard]] std::string to_decimal() const;
  [[nodiscard]] Bytes to_little_endian() const;     // 32 octets
  static U256 from_little_endian(ByteView octets);  // exactly 32 octets

 private:
  std::array<std::uint64_t, 4> limbs_{};
};

U256 saturating_add(const U256& a, const U256& b);
U256 saturating_mul(const U256& a, const U256& b);

}  // namespace eventchain::chain
