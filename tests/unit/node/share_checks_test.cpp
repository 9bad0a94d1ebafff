#include "node/share_checks.h"

#include <doctest/doctest.h>

#include <atomic>
#include <latch>
#include <map>
#include <mutex>
#include <set>
#include <tuple>

#include "tests/unit/node_core/share_queue_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;

namespace {

// Where a first look rests on memory that went bad: it misses what is a share, and finds one where
// there is none.
struct DamagedDigest final : chain::ShareDigest {
  static constexpr std::uint8_t kMissed = 2;
  static constexpr std::uint8_t kInvented = 3;
  [[nodiscard]] chain::WorkFunction function() const override {
    return chain::WorkFunction::kRandomXV1;
  }
  static chain::Hash hash_of(bool is_share) {
    chain::Hash hash;
    hash.octets.fill(is_share ? 0 : 0xff);
    return hash;
  }
  [[nodiscard]] chain::Hash digest(const chain::SharePreimage& preimage) const override {
    return hash_of(preimage.octets[chain::kNonceLowOffset] == kInvented);
  }
  [[nodiscard]] std::optional<chain::Hash> again(
      const chain::SharePreimage& preimage) const override {
    ++second_looks;
    return hash_of(preimage.octets[chain::kNonceLowOffset] == kMissed);
  }
  mutable std::atomic<int> second_looks = 0;
};

}  // namespace

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

TEST_CASE("no share is refused, and no own one handed out, on the word of a damaged dataset") {
  Checks checks;
  const DamagedDigest damaged;
  const auto memo = std::make_shared<const mining::MemoDigest>(damaged);
  std::latch all(2);
  ShareChecks threads({checks.genesis, voter_id(0), memo, 1},
                      [&](const Input&) { all.count_down(); });
  threads.see(InHand{checks.header});
  const net::SharePush good = checks.share(DamagedDigest::kMissed);
  CHECK_FALSE(threads.take(PeerSaid{voter_id(1), good}, 100).has_value());
  const net::SharePush bad = checks.share(DamagedDigest::kInvented);
  CHECK_FALSE(threads.take(MinerFound{{bad.template_hash, bad.nonce}}).has_value());
  all.wait();
  threads.stop();
  CHECK(damaged.second_looks == 2);
  // What the core asks for afterwards is there, and is the truth.
  const auto target = chain::expand(checks.header.share_target);
  REQUIRE(target.has_value());
  CHECK(chain::share_meets(*memo, checks.header, good.nonce, *target));
  CHECK_FALSE(chain::share_meets(*memo, checks.header, bad.nonce, *target));
  CHECK(damaged.second_looks == 2);
}

TEST_CASE("what a lost link has said comes before its end or never") {
  Checks checks;
  const auto memo =
      std::shared_ptr<const mining::MemoDigest>(std::shared_ptr<void>(), &checks.memo);
  std::latch comes(1);
  std::latch ends(1);
  std::atomic<bool> is_down = false;
  bool came_late = false;
  ShareChecks threads({checks.genesis, voter_id(0), memo, 1}, [&](const Input&) {
    comes.count_down();
    ends.wait();
    // As long as this has not returned the end must wait; it gets every chance not to.
    for (int i = 0; i < 20'000 && !is_down; ++i) std::this_thread::yield();
    came_late = is_down;
  });
  threads.see(InHand{checks.header});
  CHECK_FALSE(threads.take(PeerSaid{voter_id(1), checks.share(1)}, 100).has_value());
  comes.wait();
  ends.count_down();
  threads.peer_down(voter_id(1));
  is_down = true;
  threads.stop();
  CHECK_FALSE(came_late);
}

TEST_CASE("what finds its peer's queue full is counted") {
  Checks checks;
  const auto memo =
      std::shared_ptr<const mining::MemoDigest>(std::shared_ptr<void>(), &checks.memo);
  // Nobody works at it.
  ShareChecks threads({checks.genesis, voter_id(0), memo, 0}, [](const Input&) {});
  threads.see(InHand{checks.header});
  const std::size_t room = checks.queue->waiting_max();
  for (std::uint32_t i = 0; i < room; ++i)
    std::ignore = threads.take(PeerSaid{voter_id(1), checks.share(i)}, 100);
  CHECK(threads.dropped() == 0);
  for (std::uint32_t i = 0; i < 3; ++i)
    std::ignore = threads.take(
        PeerSaid{voter_id(1), checks.share(static_cast<std::uint32_t>(room) + i)}, 100);
  CHECK(threads.dropped() == 3);
}
