#include "chain/target.h"

#include <doctest/doctest.h>

#include "chain/rng.h"

using namespace eventchain::chain;

namespace {

U256 random_target(Rng& rng) {
  const U256 wide = U256::from_limbs({rng.next(), rng.next(), rng.next(), rng.next()});
  const U256 target = wide >> static_cast<unsigned>(rng.below(256));
  return target.is_zero() ? U256(1) : target;
}

// a / (t + 1) with a = 2^256 by long division in base two, independent of U256's division.
U256 naive_expected_hashes(const U256& target) {
  const U256 divisor = target + U256(1);
  U256 quotient;
  U256 remainder;
  for (int bit = 256; bit >= 0; --bit) {
    const bool is_carried = remainder.bit_length() == 256;
    remainder = (remainder << 1) + U256(bit == 256 ? 1 : 0);
    quotient = quotient << 1;
    if (is_carried || remainder >= divisor) {
      remainder = remainder - divisor;
      quotient = quotient + U256(1);
    }
  }
  return quotient;
}

}  // namespace

TEST_CASE("compact targets of known values") {
  CHECK(expand(CompactTarget{0x03000001}).value() == U256(1));
  CHECK(expand(CompactTarget{0x03ffffff}).value() == U256(0xffffff));
  CHECK(expand(CompactTarget{0x04010000}).value() == U256(0x01000000));
  CHECK(expand(CompactTarget{0x20ffffff}).value() == U256(0xffffff) << 232);
  CHECK(compact(U256(1)).bits == 0x03000001);
  CHECK(compact(U256(0x123456)).bits == 0x03123456);
  CHECK(compact(U256(0x12345678)).bits == 0x04123456);
  CHECK(compact(U256::max()).bits == 0x20ffffff);
  // Bitcoin's sign bit does not exist here: a mantissa may begin with 0x80.
  CHECK(compact(U256(0x80)).bits == 0x03000080);
  CHECK(compact(U256(0x80000000)).bits == 0x04800000);
}

TEST_CASE("a compact target with another spelling for its value is refused") {
  for (const std::uint32_t bits :
       {0x00000000U, 0x03000000U, 0x02000001U, 0x02ffffffU, 0x0400ffffU, 0x04000000U, 0x2000ffffU,
        0x21010000U, 0x2100ffffU, 0xffffffffU}) {
    INFO("bits ", bits);
    const auto target = expand(CompactTarget{bits});
    REQUIRE_FALSE(target);
    CHECK(target.error().code == ErrorCode::kMalformed);
    CHECK(target.error().message.find("exponent 4..32") != std::string::npos);
  }
}

TEST_CASE("every spelling that is accepted is the only one of its value") {
  const std::uint64_t seed = 31;
  INFO("seed ", seed);
  Rng rng(seed);
  for (int round = 0; round < 20000; ++round) {
    const auto exponent = static_cast<std::uint32_t>(rng.below(36));
    const auto mantissa = static_cast<std::uint32_t>(rng.next()) & 0xffffff;
    const CompactTarget target{(exponent << 24) | (mantissa >> rng.below(24))};
    const auto value = expand(target);
    if (value) REQUIRE(compact(*value) == target);
  }
}

TEST_CASE("the compact form is the greatest that is not above the target") {
  const std::uint64_t seed = 32;
  INFO("seed ", seed);
  Rng rng(seed);
  for (int round = 0; round < 5000; ++round) {
    const U256 target = random_target(rng);
    INFO("target ", target.to_decimal());
    const CompactTarget made = compact(target);
    REQUIRE(expand(made).value() <= target);
    // The next spelling up: the mantissa + 1, or the least mantissa of the next exponent.
    const bool is_full = (made.bits & 0xffffff) == 0xffffff;
    const CompactTarget next{is_full ? (((made.bits >> 24) + 1) << 24) | 0x010000 : made.bits + 1};
    if (const auto above = expand(next)) REQUIRE(*above > target);
  }
}

TEST_CASE("the expected number of hashes is 2^256 divided by the hashes that meet the target") {
  CHECK(expected_hashes(U256::max()) == U256(1));
  CHECK(expected_hashes(U256::max() >> 1) == U256(2));
  CHECK(expected_hashes(U256::max() >> 20) == U256(1) << 20);
  CHECK(expected_hashes(U256(1)) == U256(1) << 255);
  // 2^256 itself has no 256-bit form.
  CHECK(expected_hashes(U256()) == U256::max());

  const std::uint64_t seed = 33;
  INFO("seed ", seed);
  Rng rng(seed);
  for (int round = 0; round < 500; ++round) {
    const U256 target = random_target(rng);
    INFO("target ", target.to_decimal());
    if (target != U256::max()) REQUIRE(expected_hashes(target) == naive_expected_hashes(target));
  }
}

TEST_CASE("the target for a number of hashes is the greatest that takes so many") {
  CHECK(target_for(U256(1)) == U256::max());
  CHECK(target_for(U256(2)) == U256::max() >> 1);
  CHECK(target_for(U256(1) << 255) == U256(1));
  CHECK(target_for(U256::max()) == U256());

  const std::uint64_t seed = 34;
  INFO("seed ", seed);
  Rng rng(seed);
  for (int round = 0; round < 2000; ++round) {
    const U256 hashes = random_target(rng);
    INFO("hashes ", hashes.to_decimal());
    const U256 target = target_for(hashes);
    REQUIRE(expected_hashes(target) >= hashes);
    if (target != U256::max()) REQUIRE(expected_hashes(target + U256(1)) < hashes);
  }
}
