#include "chain/u256.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "chain/result.h"

namespace eventchain::chain {

namespace {

__extension__ using Wide = unsigned __int128;
using Limbs = std::array<std::uint64_t, 4>;

// Divides in place by one limb, from the most significant on, and gives the remainder.
std::uint64_t divide_by_limb(Limbs& limbs, std::uint64_t divisor) {
  Wide remainder = 0;
  for (std::size_t i = limbs.size(); i-- > 0;) {
    const Wide part = (remainder << 64) | limbs[i];
    limbs[i] = static_cast<std::uint64_t>(part / divisor);
    remainder = part % divisor;
  }
  return static_cast<std::uint64_t>(remainder);
}

std::array<std::uint64_t, 8> full_product(const Limbs& a, const Limbs& b) {
  std::array<std::uint64_t, 8> product{};
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::uint64_t carry = 0;
    for (std::size_t j = 0; j < b.size(); ++j) {
      // At most (2^64-1)^2 + 2 (2^64-1) = 2^128 - 1: the sum cannot overflow.
      const Wide sum = Wide{a[i]} * b[j] + product[i + j] + carry;
      product[i + j] = static_cast<std::uint64_t>(sum);
      carry = static_cast<std::uint64_t>(sum >> 64);
    }
    product[i + b.size()] = carry;
  }
  return product;
}

// To the left, or to the right if `bits` is negative.
U256 shifted(const U256& value, int bits) {
  return bits >= 0 ? value << static_cast<unsigned>(bits) : value >> static_cast<unsigned>(-bits);
}

}  // namespace

U256 U256::max() {
  return ~U256();
}

std::strong_ordering U256::operator<=>(const U256& other) const {
  for (std::size_t i = limbs_.size(); i-- > 0;)
    if (limbs_[i] != other.limbs_[i]) return limbs_[i] <=> other.limbs_[i];
  return std::strong_ordering::equal;
}

U256 operator+(const U256& a, const U256& b) {
  U256 result;
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const Wide sum = Wide{a.limbs_[i]} + b.limbs_[i] + carry;
    result.limbs_[i] = static_cast<std::uint64_t>(sum);
    carry = static_cast<std::uint64_t>(sum >> 64);
  }
  return result;
}

U256 operator-(const U256& a, const U256& b) {
  U256 result;
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    // Below zero the upper half is all ones; its lowest bit is the borrow.
    const Wide difference = Wide{a.limbs_[i]} - b.limbs_[i] - borrow;
    result.limbs_[i] = static_cast<std::uint64_t>(difference);
    borrow = static_cast<std::uint64_t>(difference >> 64) & 1;
  }
  return result;
}

U256 operator*(const U256& a, const U256& b) {
  const auto product = full_product(a.limbs_, b.limbs_);
  return U256::from_limbs({product[0], product[1], product[2], product[3]});
}

U256 operator/(const U256& a, const U256& b) {
  EC_ASSERT(!b.is_zero(), "division by zero");
  if (b.bit_length() <= 64) {
    U256 quotient = a;
    divide_by_limb(quotient.limbs_, b.limbs_[0]);
    return quotient;
  }
  // Each round takes away a multiple that leading bits show to fit, about 62 bits of the quotient:
  // the dividend's are rounded down and the divisor's up, so the estimate is never too great.
  const int divisor_scale = static_cast<int>(b.bit_length()) - 64;
  const Wide divisor_top = Wide{(b >> static_cast<unsigned>(divisor_scale)).limbs_[0]} + 1;
  U256 quotient;
  U256 remainder = a;
  while (remainder >= b) {
    const int scale = static_cast<int>(remainder.bit_length()) - 128;
    const U256 top = shifted(remainder, -scale);
    const Wide estimate = ((Wide{top.limbs_[1]} << 64) | top.limbs_[0]) / divisor_top;
    const auto low = static_cast<std::uint64_t>(estimate);
    const auto high = static_cast<std::uint64_t>(estimate >> 64);
    U256 part = shifted(U256::from_limbs({low, high, 0, 0}), scale - divisor_scale);
    if (part.is_zero()) part = U256(1);
    quotient = quotient + part;
    remainder = remainder - part * b;
  }
  return quotient;
}

U256 operator<<(const U256& a, unsigned bits) {
  U256 result;
  if (bits >= 256) return result;
  const std::size_t limbs = bits / 64;
  const unsigned rest = bits % 64;
  for (std::size_t i = limbs; i < 4; ++i) {
    result.limbs_[i] = a.limbs_[i - limbs] << rest;
    if (rest != 0 && i > limbs) result.limbs_[i] |= a.limbs_[i - limbs - 1] >> (64 - rest);
  }
  return result;
}

U256 operator>>(const U256& a, unsigned bits) {
  U256 result;
  if (bits >= 256) return result;
  const std::size_t limbs = bits / 64;
  const unsigned rest = bits % 64;
  for (std::size_t i = 0; i + limbs < 4; ++i) {
    result.limbs_[i] = a.limbs_[i + limbs] >> rest;
    if (rest != 0 && i + limbs + 1 < 4) result.limbs_[i] |= a.limbs_[i + limbs + 1] << (64 - rest);
  }
  return result;
}

U256 operator~(const U256& a) {
  U256 result;
  for (std::size_t i = 0; i < 4; ++i) result.limbs_[i] = ~a.limbs_[i];
  return result;
}

unsigned U256::bit_length() const {
  for (std::size_t i = limbs_.size(); i-- > 0;)
    if (limbs_[i] != 0)
      return static_cast<unsigned>(64 * i) + static_cast<unsigned>(std::bit_width(limbs_[i]));
  return 0;
}

double U256::to_double() const {
  double result = 0;
  for (std::size_t i = limbs_.size(); i-- > 0;)
    result = std::ldexp(result, 64) + static_cast<double>(limbs_[i]);
  return result;
}

std::string U256::to_decimal() const {
  // Nineteen digits at a time: the greatest power of ten in one limb.
  constexpr std::uint64_t kChunk = 10'000'000'000'000'000'000ULL;
  Limbs rest = limbs_;
  std::string text;
  do {
    std::string digits = std::to_string(divide_by_limb(rest, kChunk));
    const bool is_last = rest == Limbs{};
    if (!is_last) digits.insert(0, 19 - digits.size(), '0');
    text.insert(0, digits);
  } while (rest != Limbs{});
  return text;
}

Bytes U256::to_little_endian() const {
  Bytes octets(32, '\0');
  for (std::size_t i = 0; i < octets.size(); ++i)
    octets[i] = static_cast<char>((limbs_[i / 8] >> (8 * (i % 8))) & 0xff);
  return octets;
}

U256 U256::from_little_endian(ByteView octets) {
  EC_ASSERT(octets.size() == 32, "a 256-bit integer has 32 octets");
  U256 result;
  for (std::size_t i = 0; i < octets.size(); ++i)
    result.limbs_[i / 8] |= std::uint64_t{static_cast<std::uint8_t>(octets[i])} << (8 * (i % 8));
  return result;
}

U256 saturating_add(const U256& a, const U256& b) {
  const U256 sum = a + b;
  return sum < a ? U256::max() : sum;
}

U256 saturating_mul(const U256& a, const U256& b) {
  const auto product = full_product(a.limbs(), b.limbs());
  const bool fits =
      std::all_of(product.begin() + 4, product.end(), [](std::uint64_t limb) { return limb == 0; });
  return fits ? U256::from_limbs({product[0], product[1], product[2], product[3]}) : U256::max();
}

}  // namespace eventchain::chain
