#include "node/share_queue.h"

#include <doctest/doctest.h>

#include "consensus/decision.h"
#include "tests/unit/node_core/share_queue_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;

TEST_CASE("a flood of bad shares delays another peer's share by one digest, and is dropped") {
  Checks checks;
  for (std::uint32_t i = 0; i < 1000; ++i) CHECK_FALSE(checks.passes(1, checks.share(2 * i)));
  CHECK(checks.queue->dropped() == 1000 - ShareQueue::kWaitingMax);
  CHECK(checks.work().size() == 1);  // the first of the flood is in work when the other comes
  CHECK_FALSE(checks.passes(2, checks.share(9)));
  std::size_t before = checks.computing.count;
  bool came = false;
  for (int i = 0; i < 2 && !came; ++i)
    for (const Input& input : checks.work()) came = came || Checks::sender(input) == voter_id(2);
  CHECK(came);
  CHECK(checks.computing.count - before <= 2);
  // The rest is what was kept, no more.
  before = checks.computing.count;
  while (!checks.work().empty()) {
  }
  CHECK(checks.computing.count == ShareQueue::kWaitingMax + 1);
  CHECK(before < checks.computing.count);
}

TEST_CASE("a long reply is computed seal by seal, and others' shares go between") {
  Checks checks;
  checks.queue->asked(voter_id(1));
  CHECK_FALSE(checks.passes(
      1, checks.blocks({checks.sealed(1, 1), checks.sealed(2, 1), checks.sealed(3, 1)})));
  CHECK(checks.work().empty());  // a seal of three
  CHECK(checks.computing.count == kShares);
  CHECK_FALSE(checks.passes(2, checks.share(101)));
  const std::vector<Input> ready = checks.work();
  REQUIRE(ready.size() == 1);
  CHECK(Checks::sender(ready[0]) == voter_id(2));
  CHECK(checks.computing.count == kShares + 1);
  CHECK(checks.work().empty());
  REQUIRE(checks.work().size() == 1);
  // The core finds all of it known, and so would the next who sends it.
  CHECK(checks.computing.count == 3 * kShares + 1);
  checks.queue->asked(voter_id(2));
  CHECK(checks.passes(2, checks.blocks({checks.sealed(1, 1), checks.sealed(2, 1)})));
}

TEST_CASE("after a bad seal nothing more of the message is computed") {
  Checks checks;
  checks.queue->asked(voter_id(1));
  CHECK_FALSE(checks.passes(
      1, checks.blocks({checks.sealed(1, 1), checks.sealed(2, 2), checks.sealed(3, 1)})));
  CHECK(checks.work().empty());
  CHECK(checks.work().size() == 1);
  CHECK(checks.computing.count == 2 * kShares);
  // A header that cannot be of this chain ends it before.
  chain::SealedHeader foreign = checks.sealed(4, 1);
  foreign.header.chain.octets[0] ^= 1;
  checks.queue->asked(voter_id(1));
  CHECK(checks.passes(1, checks.blocks({foreign, checks.sealed(5, 1)})));
  // And what the chain has already is nothing to compute.
  checks.queue->tip_moved(chain::Height{7});
  checks.queue->asked(voter_id(1));
  CHECK(checks.passes(1, checks.blocks({checks.sealed(6, 1), checks.sealed(7, 1)})));
}

TEST_CASE("what needs no digest passes what waits") {
  Checks checks;
  CHECK_FALSE(checks.passes(1, checks.share(1)));
  consensus::AppendEntries append;
  append.term = consensus::Term{3};
  net::RaftSaid heartbeat{{consensus::ServerId{1}, consensus::ServerId{2}, append}};
  CHECK(checks.passes(1, heartbeat));
  CHECK(checks.passes(1, net::TipSaid{chain::Height{5}, {}}));
  CHECK(checks.passes(1, net::Events{}));
  CHECK(checks.passes(1, checks.blocks({checks.sealed(1, 1)})));  // nobody asked for it
  CHECK(checks.computing.count == 0);
  // A decision does not, until its shares are known.
  append.entries.push_back({consensus::Term{3}, consensus::EntryKind::kCommand,
                            consensus::encode_decision(checks.sealed(1, 1))});
  const net::RaftSaid decision{{consensus::ServerId{1}, consensus::ServerId{2}, append}};
  CHECK_FALSE(checks.passes(2, decision));
  while (!checks.work().empty()) {
  }
  CHECK(checks.passes(2, decision));
  CHECK(checks.passes(1, checks.share(1)));
  // The own miner's shares go the same way.
  const mining::ShareFound own{chain::template_hash(checks.header), {0, 77}};
  CHECK_FALSE(checks.queue->offer(MinerFound{own}).has_value());
  const std::vector<Input> ready = checks.work();
  REQUIRE(ready.size() == 1);
  CHECK(std::holds_alternative<MinerFound>(ready[0]));
  CHECK(checks.queue->offer(MinerFound{own}).has_value());
}

TEST_CASE(
    "shares that outran their template are computed when it is in hand, those of the past never") {
  Checks checks;
  const net::SharePush late = checks.share(11);
  CHECK_FALSE(checks.passes(1, late));
  chain::TemplateHeader next = checks.header;
  next.time.value += 1;
  checks.header = next;
  for (std::uint32_t i = 0; i < ShareQueue::kEarlyMax + 5; ++i)
    CHECK_FALSE(checks.passes(2, checks.share(2 * i + 1)));
  CHECK(checks.queue->dropped() == 5);
  CHECK(checks.computing.count == 0);
  checks.queue->in_hand(next);
  std::size_t came = 0;
  for (std::vector<Input> ready = checks.work(); !ready.empty(); ready = checks.work())
    for (const Input& input : ready) {
      CHECK(Checks::sender(input) == voter_id(2));
      ++came;
    }
  CHECK(came == ShareQueue::kEarlyMax);
  CHECK(checks.computing.count == ShareQueue::kEarlyMax);
  checks.queue->in_hand(std::nullopt);
  CHECK_FALSE(checks.passes(1, checks.share(501)));
  CHECK(checks.work().empty());
}

TEST_CASE("with its link goes what a peer has sent, also what is in work") {
  Checks checks;
  CHECK_FALSE(checks.passes(1, checks.share(1)));
  CHECK_FALSE(checks.passes(1, checks.share(3)));
  std::vector<Input> ready;
  const auto piece = checks.queue->next(ready);
  REQUIRE(piece.has_value());
  checks.queue->peer_down(voter_id(1));
  CHECK_FALSE(checks.passes(1, checks.share(5)));  // it is back
  checks.finish(*piece, ready);
  CHECK(ready.empty());
  const std::vector<Input> after = checks.work();
  REQUIRE(after.size() == 1);
  CHECK(std::get<net::SharePush>(std::get<PeerSaid>(after[0]).message).nonce.low == 5);
}

TEST_CASE("of a peer that the core hung up on nothing is computed until it is spoken to again") {
  Checks checks;
  CHECK_FALSE(checks.passes(1, checks.share(2)));
  CHECK(checks.work().size() == 1);
  CHECK_FALSE(checks.passes(1, checks.share(4)));
  checks.queue->hung_up(voter_id(1));
  checks.queue->peer_down(voter_id(1));
  for (std::uint32_t i = 3; i < 50; ++i) CHECK_FALSE(checks.passes(1, checks.share(2 * i)));
  CHECK(checks.work().empty());
  CHECK(checks.computing.count == 1);
  checks.queue->spoke_to(voter_id(1));
  CHECK_FALSE(checks.passes(1, checks.share(201)));
  CHECK(checks.work().size() == 1);
  CHECK(checks.computing.count == 2);
}
