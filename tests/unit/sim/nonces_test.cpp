#include <doctest/doctest.h>

#include <vector>

#include "mining/tile_search.h"
#include "tests/sim/hashed_nonces.h"
#include "tests/sim/seed_plan.h"
#include "tests/sim/simulation.h"
#include "tests/sim/trace.h"

using namespace eventchain;
using namespace eventchain::sim;

namespace {

mining::WorkOrder order_of(std::uint64_t height, std::uint16_t slot) {
  mining::WorkOrder order;
  order.header.height = chain::Height{height};
  order.template_hash = chain::template_hash(order.header);
  order.slot = chain::Slot{slot};
  order.target = chain::U256(0);
  return order;
}

// A search of one thread that is told to hash so many rows.
void hash(HashedNonces& nonces, const mining::WorkOrder& order, std::uint8_t thread,
          mining::SearchPosition start, int rows) {
  const HashedNonces::Recording recording(nonces);
  const auto search = mining::tile_searches(HashedNonces::kernel())(thread, start);
  std::vector<chain::Nonce> shares;
  search->switch_to(order);
  for (int row = 0; row < rows; ++row) search->advance(shares);
}

constexpr mining::SearchPosition kStart{1'000, 77};

}  // namespace

TEST_CASE("templates, slots, threads and places each make other nonces") {
  HashedNonces nonces;
  hash(nonces, order_of(1, 0), 0, kStart, 3);
  CHECK(nonces.count() == 3 * 128);
  hash(nonces, order_of(2, 0), 0, kStart, 3);
  hash(nonces, order_of(1, 1), 0, kStart, 3);
  hash(nonces, order_of(1, 0), 1, kStart, 3);
  hash(nonces, order_of(1, 0), 0, {kStart.counter + 128, kStart.word12}, 3);
  hash(nonces, order_of(1, 0), 0, {kStart.counter, kStart.word12 + 3}, 3);
  CHECK(nonces.count() == 6 * 3 * 128);
}

TEST_CASE("a nonce that is hashed a second time is seen, even one of a tile that lies askew") {
  HashedNonces nonces;
  hash(nonces, order_of(1, 0), 0, kStart, 3);
  // A process that begins where it began before.
  CHECK_THROWS_AS(hash(nonces, order_of(1, 0), 0, kStart, 1), Violation);
  // Two that share a single counter and a single row.
  CHECK_THROWS_AS(hash(nonces, order_of(1, 0), 0, {kStart.counter + 127, kStart.word12 + 2}, 1),
                  Violation);
}

TEST_CASE("members change, nodes start again, and nobody hashes what another has hashed") {
  int recorded = 0;
  for (std::uint64_t seed = 1; recorded < 3; ++seed) {
    REQUIRE(seed < 200);
    INFO("seed ", seed);
    SimulationOptions options;
    options.seed = seed;
    options.chaos = std::chrono::seconds(5);
    if (!records_nonces(seed)) continue;
    const SimulationTotals totals = simulate(options);
    CHECK(totals.nonces > 1000);
    ++recorded;
  }
}
