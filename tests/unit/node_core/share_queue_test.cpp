#include "node/share_queue.h"

#include <doctest/doctest.h>

#include "tests/unit/node_core/share_queue_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;

TEST_CASE("a flood of bad shares delays another peer's share by one digest, and is dropped") {
  Checks checks;
  for (std::uint32_t i = 0; i < 1000; ++i) CHECK_FALSE(checks.passes(1, checks.share(2 * i)));
  CHECK(checks.queue->dropped() == 1000 - checks.queue->waiting_max());
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
  CHECK(checks.computing.count == checks.queue->waiting_max() + 1);
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
  // What does not follow it the core cannot decide, and a target that is easier than the chain's
  // easiest it refuses.
  checks.queue->asked(voter_id(1));
  CHECK(checks.passes(1, checks.blocks({checks.sealed(30, 1)})));
  chain::SealedHeader easy = checks.sealed(8, 1);
  easy.header.share_target = chain::compact(chain::U256::max());
  checks.queue->asked(voter_id(1));
  CHECK(checks.passes(1, checks.blocks({easy})));
}

TEST_CASE("what needs no digest passes what waits") {
  Checks checks;
  CHECK_FALSE(checks.passes(1, checks.share(1)));
  CHECK(checks.passes(1, Checks::entries(1, {})));  // a heartbeat
  CHECK(checks.passes(1, net::TipSaid{chain::Height{5}, {}}));
  CHECK(checks.passes(1, net::Events{}));
  CHECK(checks.passes(1, checks.blocks({checks.sealed(1, 1)})));  // nobody asked for it
  CHECK(checks.computing.count == 0);
  // A decision does not, until its shares are known.
  const net::RaftSaid decision = Checks::entries(2, {checks.sealed(1, 1)});
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
  for (std::uint32_t i = 0; i < checks.queue->early_max() + 5; ++i)
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
  CHECK(came == checks.queue->early_max());
  CHECK(checks.computing.count == checks.queue->early_max());
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

TEST_CASE("what a peer says while the core is deaf to it waits until it is spoken to again") {
  Checks checks;
  CHECK_FALSE(checks.passes(1, checks.share(2)));
  CHECK(checks.work().size() == 1);
  CHECK_FALSE(checks.passes(1, checks.share(4)));
  checks.queue->hung_up(voter_id(1));
  checks.queue->peer_down(voter_id(1));
  // It is back, and shows what it holds before the core has said anything.
  for (std::uint32_t i = 0; i < 50; ++i) CHECK_FALSE(checks.passes(1, checks.share(2 * i + 11)));
  checks.queue->in_hand(checks.header);
  CHECK(checks.work_off() == 0);
  CHECK(checks.queue->spoke_to(voter_id(1)));
  std::vector<Input> came;
  CHECK(checks.work_off(&came) == checks.queue->early_max());
  CHECK(came.size() == checks.queue->early_max());
  CHECK(checks.queue->dropped() == 50 - checks.queue->early_max());
  CHECK_FALSE(checks.queue->spoke_to(voter_id(1)));
  CHECK_FALSE(checks.passes(1, checks.share(201)));
  CHECK(checks.work_off() == 1);
}

TEST_CASE("of Raft's entries only what the core could decide is computed") {
  Checks checks;
  std::vector<chain::SealedHeader> seals;
  for (std::uint64_t height = 20; height < 60; ++height) seals.push_back(checks.sealed(height, 1));
  // They do not follow the tip.
  CHECK(checks.passes(1, Checks::entries(1, seals)));
  // In another's name.
  CHECK(checks.passes(1, Checks::entries(2, {checks.sealed(1, 1)})));
  // A voter's, as far as they are in order, and one for each height.
  seals = {checks.sealed(1, 1), checks.sealed(1, 101), checks.sealed(2, 1), checks.sealed(4, 1)};
  CHECK_FALSE(checks.passes(1, Checks::entries(1, seals)));
  CHECK(checks.work_off() == 2 * std::size_t{kShares});
  // The next frame goes on where the one before ends, though that is far above the tip.
  seals.clear();
  for (std::uint64_t height = 3; height <= 20; ++height) seals.push_back(checks.sealed(height, 1));
  CHECK_FALSE(checks.passes(1, Checks::entries(1, seals)));
  CHECK_FALSE(checks.passes(1, Checks::entries(1, {checks.sealed(21, 1), checks.sealed(22, 1)})));
  CHECK(checks.work_off() == 20 * std::size_t{kShares});
  // A light member's the core does not hear, and of a standby's one is enough.
  chain::MemberSet members = chain::first_members(checks.genesis);
  members.members[1].role = chain::MemberRole::kLight;
  members.members[2].role = chain::MemberRole::kStandby;
  checks.queue->members(std::make_shared<const chain::MemberSet>(members));
  seals = {checks.sealed(1, 201), checks.sealed(2, 201), checks.sealed(3, 201)};
  CHECK(checks.passes(1, Checks::entries(1, seals)));
  CHECK_FALSE(checks.passes(2, Checks::entries(2, seals)));
  CHECK(checks.work_off() == kShares);
}

TEST_CASE("what a message is to cost counts against its sender's bound") {
  Checks checks(256);
  std::vector<chain::SealedHeader> seals;
  for (std::uint64_t height = 1; height <= 200; ++height) seals.push_back(checks.sealed(height, 1));
  // 200 seals of 256 preimages of 116 octets are 5.7 MiB, however few octets came.
  for (int i = 0; i < 3; ++i) CHECK_FALSE(checks.passes(1, Checks::entries(1, seals)));
  CHECK(checks.queue->dropped() == 1);
  CHECK_FALSE(checks.passes(2, Checks::entries(2, seals)));  // another has its own
  CHECK(checks.queue->dropped() == 1);
}

TEST_CASE("all that a peer can show of a template has room, however many shares make a seal") {
  constexpr std::uint16_t kMany = 256;
  Checks checks(kMany);
  const auto show = [&] {
    for (std::uint32_t i = 0; i < kMany; ++i)
      CHECK_FALSE(checks.passes(1, checks.share(2 * i + 1)));
  };
  show();
  std::vector<Input> came;
  CHECK(checks.work_off(&came) == kMany);
  CHECK(came.size() == kMany);
  // And when the shares outrun the template.
  checks.header.time.value += 1;
  show();
  checks.queue->in_hand(checks.header);
  CHECK(checks.work_off(&came) == kMany);
  CHECK(came.size() == kMany);
  CHECK(checks.queue->dropped() == 0);
}

TEST_CASE("for a template with all its shares nothing is computed, nor on a light member") {
  Checks checks;
  for (std::uint32_t i = 0; i < 5; ++i) CHECK_FALSE(checks.passes(1, checks.share(2 * i + 1)));
  checks.queue->in_hand(checks.header, true);
  // The core counts those that wait, and those that come, as too many.
  std::vector<Input> came;
  CHECK(checks.work_off(&came) == 0);
  CHECK(came.size() == 5);
  CHECK(checks.passes(2, checks.share(77)));
  // The next one needs them again.
  checks.header.time.value += 1;
  checks.queue->in_hand(checks.header);
  CHECK_FALSE(checks.passes(2, checks.share(79)));
  CHECK(checks.work_off() == 1);

  Checks light(kShares, true);
  CHECK(light.passes(1, light.share(1)));
  CHECK(light.passes(1, Checks::entries(1, {light.sealed(1, 1)})));
  light.queue->asked(voter_id(1));
  CHECK(light.passes(1, light.blocks({light.sealed(1, 1)})));
  // Its own miner's are for others.
  const mining::ShareFound own{chain::template_hash(light.header), {0, 77}};
  CHECK_FALSE(light.queue->offer(MinerFound{own}).has_value());
  CHECK(light.work_off() == 1);
}
