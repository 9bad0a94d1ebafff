#include "mining/paced_miner.h"

#include <doctest/doctest.h>

#include <semaphore>
#include <vector>

#include "mining/host_probe.h"
#include "reference.h"

using namespace eventchain;
using namespace eventchain::mining;

namespace {

// Takes shares on the miner's thread.
struct Taker {
  std::vector<ShareFound> shares;  // guarded by the semaphore's order
  std::counting_semaphore<> came{0};
  PacedMiner::OnShare callback() {
    return [this](const ShareFound& share) {
      shares.push_back(share);
      came.release();
    };
  }
};

WorkOrder order_at(std::uint64_t height, std::uint64_t seed) {
  chain::Rng rng(seed);
  WorkOrder order = reference::random_order(rng, 1);
  order.header.height = chain::Height{height};
  order.template_hash = chain::template_hash(order.header);
  return order;
}

}  // namespace

TEST_CASE(
    "without work a share comes when the interval is over, and later ones of the height at once") {
  constexpr std::chrono::milliseconds kInterval(40);
  Taker taker;
  PacedMiner miner(kInterval, taker.callback());
  const chain::Instant begun = monotonic_now();
  const WorkOrder first = order_at(7, 1);
  miner.mine(first);
  taker.came.acquire();
  CHECK(monotonic_now() - begun >= kInterval);
  CHECK(taker.shares[0].template_hash == first.template_hash);
  CHECK(taker.shares[0].nonce == chain::Nonce{chain::nonce_high(first.slot, 0, 0), 0});
  CHECK(miner.hashes() == 0);

  // Another template of the same height: no second wait, which would never end here.
  PacedMiner patient(std::chrono::hours(1), taker.callback());
  patient.mine(first);
  const WorkOrder second = order_at(7, 2);
  miner.mine(second);
  taker.came.acquire();
  CHECK(taker.shares[1].template_hash == second.template_hash);
  // The next height waits anew.
  const chain::Instant again = monotonic_now();
  const WorkOrder third = order_at(8, 4);
  miner.mine(third);
  taker.came.acquire();
  CHECK(monotonic_now() - again >= kInterval);
  CHECK(taker.shares[2].template_hash == third.template_hash);
}

TEST_CASE("a paced miner that is stopped delivers nothing, and can be destroyed in its wait") {
  Taker taker;
  {
    PacedMiner miner(std::chrono::milliseconds(1), taker.callback());
    const WorkOrder left = order_at(7, 1);
    miner.mine(left);
    miner.stop();
    const std::size_t delivered = taker.shares.size();
    // A later order proves that the thread came past the first one's time.
    miner.mine(order_at(8, 2));
    for (std::size_t i = 0; i <= delivered; ++i) taker.came.acquire();
    CHECK(taker.shares.size() == delivered + 1);
    CHECK(taker.shares.back().template_hash == order_at(8, 2).template_hash);
    miner.mine(order_at(9, 3));
  }
  PacedMiner waiting(std::chrono::hours(1), taker.callback());
  waiting.mine(order_at(7, 1));
}
