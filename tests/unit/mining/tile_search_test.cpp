#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "chain/work.h"
#include "mining/tile_search.h"
#include "reference.h"

using namespace eventchain;
using namespace eventchain::mining;

namespace {

constexpr std::uint64_t kCounterMask = (std::uint64_t{1} << 40) - 1;

std::uint64_t counter_of(const chain::Nonce& nonce) {
  return nonce.high & kCounterMask;
}
std::uint64_t thread_of(const chain::Nonce& nonce) {
  return nonce.high >> 40 & 0xff;
}

WorkOrder order_met_by_all(std::uint64_t seed) {
  chain::Rng rng(seed);
  WorkOrder order = reference::random_order(rng, 0);
  order.target = chain::U256::max();
  return order;
}

}  // namespace

TEST_CASE("a search finds what the rules call a share, in its slot and its thread") {
  for (const kernels::Kernel& kernel : kernels::supported_kernels())
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      INFO("seed ", seed);
      chain::Rng rng(seed);
      const WorkOrder order = reference::random_order(rng, 6);
      TileSearch search(kernel, 0xa5);
      search.switch_to(order);
      std::vector<chain::Nonce> shares;
      const std::uint64_t hashes = search.advance(shares);
      REQUIRE_FALSE(shares.empty());
      for (const chain::Nonce& nonce : shares) {
        CHECK(chain::share_meets(chain::Sha256Digest(), order.header, nonce, order.target));
        CHECK(reference::is_share(order, nonce));
        CHECK(nonce.slot() == order.slot);
        CHECK(thread_of(nonce) == 0xa5);
        CHECK(counter_of(nonce) < Sha256Search::kTileWidth);
      }
      // And it leaves none out.
      std::size_t expected = 0;
      const auto rows = static_cast<std::uint32_t>(hashes / Sha256Search::kTileWidth);
      for (std::uint32_t row = 0; row < rows; ++row)
        for (std::uint64_t counter = 0; counter < Sha256Search::kTileWidth; ++counter) {
          const std::uint64_t high = chain::nonce_high(order.slot, 0xa5, counter);
          if (reference::is_share(order, {high, Sha256Search::low_at(row)})) ++expected;
        }
      CHECK(shares.size() == expected);
    }
}

TEST_CASE("at the end of nonce.low a search goes on with the next tile") {
  for (const kernels::Kernel& kernel : kernels::supported_kernels()) {
    TileSearch search(kernel, 1, {.counter = 1000, .word12 = 0xfffffffd});
    search.switch_to(order_met_by_all(1));
    std::vector<chain::Nonce> shares;
    CHECK(search.advance(shares) == 3 * Sha256Search::kTileWidth);
    CHECK(shares.size() == 3 * Sha256Search::kTileWidth);
    CHECK(shares.back().low == 0xffffffff);
    CHECK(counter_of(shares.front()) == 1000);
    CHECK(counter_of(shares.back()) == 1127);
    CHECK(search.position() == SearchPosition{.counter = 1128, .word12 = 0});

    shares.clear();
    CHECK(search.advance(shares) == kernel.quantum * Sha256Search::kTileWidth);
    CHECK(shares.front().low == 0);
    CHECK(counter_of(shares.front()) == 1128);
    CHECK(counter_of(shares.back()) == 1255);
  }
}

TEST_CASE("the counter wraps inside its 40 bits and never touches thread or slot") {
  const WorkOrder order = order_met_by_all(2);
  for (const kernels::Kernel& kernel : kernels::supported_kernels()) {
    TileSearch search(kernel, 0xff, {.counter = kCounterMask - 63, .word12 = 0xffffffff});
    search.switch_to(order);
    std::vector<chain::Nonce> shares;
    search.advance(shares);
    REQUIRE(shares.size() == Sha256Search::kTileWidth);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      CHECK(counter_of(shares[i]) == ((kCounterMask - 63 + i) & kCounterMask));
      CHECK(thread_of(shares[i]) == 0xff);
      CHECK(shares[i].slot() == order.slot);
      CHECK(reference::is_share(order, shares[i]));
    }
    CHECK(search.position() == SearchPosition{.counter = 64, .word12 = 0});
  }
}

TEST_CASE("an order that comes back is continued with nonces it has not seen") {
  const WorkOrder a = order_met_by_all(3);
  const WorkOrder b = order_met_by_all(4);
  TileSearch search(kernels::supported_kernels().front(), 0);
  std::set<chain::Nonce> seen;
  std::size_t found = 0;
  for (int turn = 0; turn < 3; ++turn) {
    std::vector<chain::Nonce> shares;
    search.switch_to(a);
    search.advance(shares);
    search.advance(shares);
    found += shares.size();
    seen.insert(shares.begin(), shares.end());
    search.switch_to(b);
  }
  CHECK(seen.size() == found);
}

TEST_CASE("a new order goes on from the position reached") {
  TileSearch search(kernels::supported_kernels().front(), 0, {.counter = 5, .word12 = 0});
  search.switch_to(order_met_by_all(5));
  CHECK(search.position() == SearchPosition{.counter = 5, .word12 = 0});
  std::vector<chain::Nonce> shares;
  search.advance(shares);
  const SearchPosition reached = search.position();
  search.switch_to(order_met_by_all(6));
  CHECK(search.position() == reached);
}
