#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "mining/sha256_search.h"
#include "reference.h"

using namespace eventchain;
using namespace eventchain::mining;

namespace {

using NonceHighs = std::array<std::uint64_t, Sha256Search::kTileWidth>;

struct Case {
  chain::SharePreimage preimage;
  chain::U256 target;
  NonceHighs nonce_highs{};
};

Case random_case(chain::Rng& rng, unsigned zero_bits) {
  Case result;
  result.preimage = reference::random_octets<chain::SharePreimage>(rng);
  result.preimage = reference::with_nonce(result.preimage, {});
  result.target = reference::random_target(rng, zero_bits);
  for (std::uint64_t& high : result.nonce_highs) high = rng.next();
  return result;
}

// nonce.low as a person would write it: W12 is its octets read the other way round.
std::uint32_t low_of(std::uint32_t word12) {
  return word12 >> 24 | (word12 >> 8 & 0xff00) | (word12 << 8 & 0xff0000) | word12 << 24;
}

std::vector<chain::Nonce> expected_shares(const Case& test, kernels::ScanRange range) {
  const reference::ShareWords target = reference::target_words(test.target);
  std::vector<chain::Nonce> result;
  for (std::uint32_t i = 0; i < range.count; ++i)
    for (const std::uint64_t high : test.nonce_highs) {
      const chain::Nonce nonce{.high = high, .low = low_of(range.first + i)};
      if (reference::share_words(reference::with_nonce(test.preimage, nonce)) <= target)
        result.push_back(nonce);
    }
  return result;
}

std::vector<chain::Nonce> found_shares(const kernels::Kernel& kernel, const Case& test,
                                       kernels::ScanRange range) {
  Sha256Search search(kernel);
  search.set_template(test.preimage, test.target);
  search.set_tile(test.nonce_highs);
  std::vector<chain::Nonce> result;
  std::uint64_t hashes = 0;
  for (std::uint32_t done = 0; done < range.count;) {
    const std::uint32_t rows = std::min(range.count - done, search.max_rows());
    hashes += search.scan({range.first + done, rows}, result);
    done += rows;
  }
  CHECK(hashes == std::uint64_t{range.count} * Sha256Search::kTileWidth);
  return result;
}

void check_kernels(const Case& test, kernels::ScanRange range) {
  const std::vector<chain::Nonce> expected = expected_shares(test, range);
  for (const kernels::Kernel& kernel : kernels::supported_kernels()) {
    INFO("kernel ", std::string(kernel.name), ", first ", range.first, ", count ", range.count);
    // As a set and in order: kernels report row after row, column after column.
    CHECK(found_shares(kernel, test, range) == expected);
  }
}

}  // namespace

TEST_CASE("every kernel finds exactly the shares that OpenSSL finds") {
  for (std::uint64_t seed = 1; seed <= 24; ++seed) {
    INFO("seed ", seed);
    chain::Rng rng(seed);
    // From every second hash to one in 2048.
    const auto zero_bits = static_cast<unsigned>(1 + seed % 11);
    const Case test = random_case(rng, zero_bits);
    check_kernels(test, {static_cast<std::uint32_t>(rng.next()), 100});
  }
}

TEST_CASE("a target that everything meets returns every nonce of the tile once, in order") {
  chain::Rng rng(7);
  Case test = random_case(rng, 0);
  test.target = chain::U256::max();
  const kernels::ScanRange range{0x12345678, 40};
  CHECK(expected_shares(test, range).size() == 40 * Sha256Search::kTileWidth);
  check_kernels(test, range);
}

TEST_CASE("a target of zero returns nothing") {
  chain::Rng rng(8);
  Case test = random_case(rng, 0);
  test.target = chain::U256();
  check_kernels(test, {0, 64});
}

TEST_CASE("every number of rows is searched to its last row and no further") {
  // Beyond what any kernel expands or takes at a time.
  for (std::uint32_t rows = 0; rows <= 70; ++rows) {
    chain::Rng rng(100 + rows);
    check_kernels(random_case(rng, 4), {static_cast<std::uint32_t>(rng.next()), rows});
  }
}

TEST_CASE("rows are counted modulo 2^32 and reach both ends") {
  chain::Rng rng(9);
  const Case test = random_case(rng, 5);
  check_kernels(test, {0xffffffe0, 32});
  check_kernels(test, {0xffffffff, 1});
  check_kernels(test, {0, 32});
  check_kernels(test, {0xfffffff0, 32});
}

TEST_CASE("a single share is found in whatever column it lies") {
  // A column alone can win in a row only if the kernel reads all its lanes: try them all.
  std::vector<bool> seen(Sha256Search::kTileWidth, false);
  chain::Rng rng(10);
  Case test = random_case(rng, 0);
  for (std::uint32_t row = 0; row < 1200; ++row) {
    reference::ShareWords best{};
    best.fill(0xffffffff);
    std::size_t winner = 0;
    for (std::size_t column = 0; column < test.nonce_highs.size(); ++column) {
      const reference::ShareWords words = reference::share_words(
          reference::with_nonce(test.preimage, {test.nonce_highs[column], low_of(row)}));
      if (words < best) {
        best = words;
        winner = column;
      }
    }
    if (seen[winner]) continue;
    seen[winner] = true;
    // The bound is inclusive: a target equal to the value itself is met, one less is not.
    const auto limb = [&best](std::size_t i) {
      return std::uint64_t{best[6 - 2 * i]} << 32 | best[7 - 2 * i];
    };
    test.target = chain::U256::from_limbs({limb(0), limb(1), limb(2), limb(3)});
    const chain::Nonce only{test.nonce_highs[winner], low_of(row)};
    for (const kernels::Kernel& kernel : kernels::supported_kernels()) {
      INFO("kernel ", std::string(kernel.name), ", row ", row, ", column ", winner);
      CHECK(found_shares(kernel, test, {row, 1}) == std::vector<chain::Nonce>{only});
    }
    test.target = test.target - chain::U256(1);
    for (const kernels::Kernel& kernel : kernels::supported_kernels())
      CHECK(found_shares(kernel, test, {row, 1}).empty());
  }
  CHECK(std::count(seen.begin(), seen.end(), true) == Sha256Search::kTileWidth);
}

TEST_CASE("a new template and a new tile replace the old ones completely") {
  chain::Rng rng(11);
  const Case first = random_case(rng, 3);
  const Case second = random_case(rng, 6);
  for (const kernels::Kernel& kernel : kernels::supported_kernels()) {
    Sha256Search search(kernel);
    std::vector<chain::Nonce> ignored;
    search.set_template(first.preimage, first.target);
    search.set_tile(first.nonce_highs);
    search.scan({0, search.max_rows()}, ignored);
    search.set_template(second.preimage, second.target);
    search.set_tile(second.nonce_highs);
    std::vector<chain::Nonce> found;
    search.scan({5, search.max_rows()}, found);
    CHECK(found == expected_shares(second, {5, search.max_rows()}));
  }
}
