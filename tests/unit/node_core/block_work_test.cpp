#include "node/block_work.h"

#include <doctest/doctest.h>

#include "chain/stamp.h"
#include "tests/unit/node_core/node_core_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

TEST_CASE("where a leader that lied has left the block clock at its end, valid blocks are made") {
  auto genesis = easy_genesis(1);
  genesis.created = chain::kStampMax;  // as the last stamp of a tip would be
  // Harder than the easiest, so that easing is looked at, too.
  genesis.easiest_target = chain::CompactTarget{0x20ffffff};
  chain::Now now{chain::Instant{5s}, {1'750'000'000'000}};
  store::MemoryStore store(genesis);
  store.turns().begin();
  Ledger ledger(store.chain(), store.chain().recover(), chain::PoolLimits{}, now);
  Members members(members_of(genesis), voter_id(0));
  Outbox outbox;
  const chain::Sha256Digest digest;
  BlockWork work({{}, false, &digest}, ledger, members, outbox);
  work.tip_moved(now);

  ledger.hold(event("a", "x", 1), Origin::kClient, now);
  REQUIRE(work.lead(now, {}));
  now.steady = now.steady + 1h;
  CHECK_FALSE(work.lead(now, {}));  // no time has passed by the block clock
  const CheckedRef made = work.in_hand();
  CHECK(made->made.header.time == chain::kStampMax);
  const chain::Nonce share = seal_of(made->made.header).shares[0];
  REQUIRE(work.share({made->hash, share}) == BlockWork::ShareResult::kAccepted);
  const auto sealed = work.take_seal(now);
  REQUIRE(sealed);
  CHECK(sealed->seal.sealed_at == chain::kStampMax);
  CHECK(chain::check_seal(ledger.state(), digest, *sealed).ok());
}

TEST_CASE("a wall clock beyond all stamps makes valid templates") {
  const auto genesis = easy_genesis(1);
  const chain::Now now{chain::Instant{5s}, {chain::kStampMax.value + 1}};
  store::MemoryStore store(genesis);
  store.turns().begin();
  Ledger ledger(store.chain(), store.chain().recover(), chain::PoolLimits{}, now);
  Members members(members_of(genesis), voter_id(0));
  Outbox outbox;
  const chain::Sha256Digest digest;
  BlockWork work({{}, false, &digest}, ledger, members, outbox);
  ledger.hold(event("a", "x", 1), Origin::kClient, now);
  REQUIRE(work.lead(now, {}));
  CHECK(work.in_hand()->made.header.started == chain::kStampMax);
}
