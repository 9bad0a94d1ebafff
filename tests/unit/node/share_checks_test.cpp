#include "node/share_checks.h"

#include <doctest/doctest.h>

#include <latch>
#include <map>
#include <mutex>
#include <set>

#include "tests/unit/node_core/share_queue_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;

TEST_CASE("the threads hand on every message of every peer once") {
  Checks checks;
  const auto memo =
      std::shared_ptr<const mining::MemoDigest>(std::shared_ptr<void>(), &checks.memo);
  constexpr std::uint32_t kEach = 20;
  std::latch all(3 * kEach);
  std::mutex mutex;
  std::map<chain::NodeId, std::set<std::uint32_t>> came;
  ShareChecks threads({checks.genesis, voter_id(0), memo, 3}, [&](const Input& input) {
    const auto& said = std::get<PeerSaid>(input);
    const std::lock_guard lock(mutex);
    came[said.peer].insert(std::get<net::SharePush>(said.message).nonce.low);
    all.count_down();
  });
  threads.see(InHand{checks.header});
  for (std::uint32_t i = 0; i < kEach; ++i)
    for (std::size_t peer = 1; peer <= 3; ++peer)
      CHECK_FALSE(threads
                      .take(PeerSaid{voter_id(peer),
                                     checks.share(static_cast<std::uint32_t>(1000 * peer + i))},
                            100)
                      .has_value());
  all.wait();
  threads.stop();
  for (std::size_t peer = 1; peer <= 3; ++peer) CHECK(came[voter_id(peer)].size() == kEach);
}
