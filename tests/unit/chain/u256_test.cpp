#include "chain/u256.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "chain/rng.h"

using namespace eventchain::chain;

namespace {

// The twin: digits to base 256, least first, as taught at school. Slow and obviously right.
using Digits = std::vector<unsigned>;

Digits digits_of(const U256& value) {
  Digits digits;
  for (char c : value.to_little_endian()) digits.push_back(static_cast<std::uint8_t>(c));
  return digits;
}

U256 from_digits(Digits digits) {
  digits.resize(32);
  Bytes octets;
  for (unsigned digit : digits) octets.push_back(static_cast<char>(digit));
  return U256::from_little_endian(octets);
}

Digits school_add(const Digits& a, const Digits& b) {
  Digits sum;
  unsigned carry = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    carry += a[i] + b[i];
    sum.push_back(carry % 256);
    carry /= 256;
  }
  sum.push_back(carry);
  return sum;
}

Digits school_multiply(const Digits& a, const Digits& b) {
  Digits product(a.size() + b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    unsigned carry = 0;
    for (std::size_t j = 0; j < b.size(); ++j) {
      carry += product[i + j] + a[i] * b[j];
      product[i + j] = carry % 256;
      carry /= 256;
    }
    product[i + b.size()] += carry;
  }
  return product;
}

bool school_less(const Digits& a, const Digits& b) {
  return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend());
}

std::string school_decimal(Digits digits) {
  std::string text;
  do {
    unsigned remainder = 0;
    for (std::size_t i = digits.size(); i-- > 0;) {
      remainder = remainder * 256 + digits[i];
      digits[i] = remainder / 10;
      remainder %= 10;
    }
    text.insert(text.begin(), static_cast<char>('0' + remainder));
  } while (std::any_of(digits.begin(), digits.end(), [](unsigned digit) { return digit != 0; }));
  return text;
}

bool is_over(const Digits& digits) {
  return std::any_of(digits.begin() + 32, digits.end(), [](unsigned digit) { return digit != 0; });
}

// Of any length in bits, with long runs of ones and zeros: where carries go wrong.
U256 random_number(Rng& rng) {
  std::array<std::uint64_t, 4> limbs{};
  for (auto& limb : limbs) {
    const std::uint64_t kind = rng.below(4);
    limb = kind == 0 ? 0 : kind == 1 ? ~std::uint64_t{0} : rng.next();
  }
  return U256::from_limbs(limbs) >> static_cast<unsigned>(rng.below(257));
}

}  // namespace

TEST_CASE("256-bit arithmetic agrees with school arithmetic") {
  const std::uint64_t seed = 21;
  INFO("seed ", seed);
  Rng rng(seed);
  for (int round = 0; round < 3000; ++round) {
    const U256 a = random_number(rng);
    const U256 b = random_number(rng);
    INFO("a ", a.to_decimal(), " b ", b.to_decimal());
    const Digits sum = school_add(digits_of(a), digits_of(b));
    const Digits product = school_multiply(digits_of(a), digits_of(b));
    REQUIRE(a + b == from_digits(sum));
    REQUIRE(a * b == from_digits(product));
    REQUIRE(saturating_add(a, b) == (is_over(sum) ? U256::max() : from_digits(sum)));
    REQUIRE(saturating_mul(a, b) == (is_over(product) ? U256::max() : from_digits(product)));
    REQUIRE((a < b) == school_less(digits_of(a), digits_of(b)));
    REQUIRE((a == b) == (digits_of(a) == digits_of(b)));
    REQUIRE((a + b) - b == a);
    REQUIRE(a.to_decimal() == school_decimal(digits_of(a)));
  }
}

TEST_CASE("a quotient times the divisor plus a smaller remainder is the dividend") {
  const std::uint64_t seed = 22;
  INFO("seed ", seed);
  Rng rng(seed);
  for (int round = 0; round < 10000; ++round) {
    const U256 a = random_number(rng);
    const U256 b = random_number(rng);
    if (b.is_zero()) continue;
    INFO("a ", a.to_decimal(), " b ", b.to_decimal());
    const U256 quotient = a / b;
    // No wrap may hide a wrong quotient, so the product is checked with the saturating form.
    const U256 product = saturating_mul(quotient, b);
    REQUIRE(product <= a);
    REQUIRE(product == quotient * b);
    REQUIRE(a - product < b);
    // Dividends around a multiple, where an estimate is most easily one off.
    if (saturating_mul(a, b) == U256::max() || a.is_zero()) continue;
    REQUIRE(a * b / b == a);
    REQUIRE((a * b - U256(1)) / b == a - U256(1));
  }
}

TEST_CASE("shifts multiply and divide by powers of two") {
  const std::uint64_t seed = 23;
  INFO("seed ", seed);
  Rng rng(seed);
  for (unsigned bits = 0; bits < 256; ++bits) {
    const U256 power = U256(1) << bits;
    INFO("bits ", bits);
    REQUIRE(power.bit_length() == bits + 1);
    for (int round = 0; round < 20; ++round) {
      const U256 a = random_number(rng);
      REQUIRE((a << bits) == a * power);
      REQUIRE((a >> bits) == a / power);
    }
  }
  CHECK((U256::max() << 256).is_zero());
  CHECK((U256::max() >> 256).is_zero());
  CHECK((U256::max() << 1000).is_zero());
}

TEST_CASE("the bit length is the least number of bits that hold the value") {
  CHECK(U256().bit_length() == 0);
  CHECK(U256::max().bit_length() == 256);
  const std::uint64_t seed = 24;
  INFO("seed ", seed);
  Rng rng(seed);
  for (int round = 0; round < 1000; ++round) {
    const U256 a = random_number(rng);
    REQUIRE((a >> a.bit_length()).is_zero());
    if (!a.is_zero()) REQUIRE_FALSE((a >> (a.bit_length() - 1)).is_zero());
  }
}

TEST_CASE("edges of the range wrap or saturate as promised") {
  CHECK(U256::max() + U256(1) == U256());
  CHECK(U256() - U256(1) == U256::max());
  CHECK(saturating_add(U256::max(), U256(1)) == U256::max());
  CHECK(saturating_mul(U256::max(), U256(2)) == U256::max());
  CHECK(saturating_mul(U256::max(), U256(1)) == U256::max());
  CHECK(U256::max() / U256::max() == U256(1));
  CHECK(U256::max() / U256(1) == U256::max());
  CHECK((U256(1) / U256::max()).is_zero());
  CHECK(~U256() == U256::max());
}

TEST_CASE("decimal text and octets of known numbers") {
  CHECK(U256().to_decimal() == "0");
  CHECK(U256(10'000'000'000'000'000'000ULL).to_decimal() == "10000000000000000000");
  CHECK(U256::max().to_decimal() ==
        "115792089237316195423570985008687907853269984665640564039457584007913129639935");
  CHECK(to_hex((U256(0x0102) << 8).to_little_endian()) == "000201" + std::string(58, '0'));
}

TEST_CASE("the floating-point form is close enough to display") {
  CHECK(U256().to_double() == 0);
  CHECK((U256(3) << 200).to_double() == std::ldexp(3.0, 200));
  CHECK(U256::max().to_double() == doctest::Approx(std::ldexp(1.0, 256)));
}
