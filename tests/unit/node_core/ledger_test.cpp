#include "node/ledger.h"

#include <doctest/doctest.h>

#include "tests/unit/node_core/node_core_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

TEST_CASE("a placed event that is announced under another salt is not kept again") {
  LoneLedger chain;
  chain.hold(event("a", "x", 1), Origin::kClient);
  chain.commit();
  const Holding again = chain.hold(event("a", "x", 2), Origin::kAnnounced);
  CHECK(again.state == Holding::State::kPlaced);
  // Kept, it would stay pending for ever: no block can place or reject it.
  CHECK(chain.ledger.pool().size() == 0);
}

TEST_CASE("other content announced under a placed key is kept until a block rejects it") {
  LoneLedger chain;
  chain.hold(event("a", "x", 1), Origin::kClient);
  chain.commit();
  CHECK(chain.hold(event("a", "y", 2), Origin::kAnnounced).state == Holding::State::kNew);
  const Settled settled = chain.commit();
  REQUIRE(settled.rejected.size() == 1);
  CHECK(settled.rejected[0].reason == chain::RejectionReason::kKeyTaken);
  CHECK(chain.ledger.pool().size() == 0);
}

TEST_CASE("two variants of one content rejected by one block are both recorded") {
  LoneLedger chain;
  chain.hold(event("a", "x", 1, 7), Origin::kClient);
  chain.hold(event("a", "x", 2, 7), Origin::kWanted);
  REQUIRE(chain.ledger.pool().size() == 2);
  chain.now.steady = chain.now.steady + 1s;
  const Settled settled = chain.commit();
  CHECK(settled.rejected.size() == 2);
  CHECK(settled.rejected_twins.empty());
  CHECK(chain.ledger.pool().size() == 0);
}

TEST_CASE("a variant goes along with the one that is placed, and is named") {
  LoneLedger chain;
  const auto first = event("a", "x", 1);
  const auto second = event("a", "x", 2);
  chain.hold(first, Origin::kClient);
  chain.hold(second, Origin::kWanted);
  const Settled settled = chain.commit();
  REQUIRE(settled.placed.size() == 1);
  CHECK(settled.placed[0].commitment == first.facts.commitment);
  REQUIRE(settled.placed_twins.size() == 1);
  CHECK(settled.placed_twins[0].commitment == second.facts.commitment);
  CHECK(settled.placed_twins[0].position == settled.placed[0].position);
  CHECK(chain.ledger.pool().size() == 0);
}

TEST_CASE("a pending event can be forgotten by what its own pool entry says") {
  LoneLedger chain;
  const auto held = event("a", "x", 1);
  chain.hold(held, Origin::kClient);
  const chain::PendingEvent* pending = chain.ledger.pool().find(held.facts.commitment);
  chain.ledger.forget(pending->facts.key, pending->facts.commitment);
  CHECK(chain.ledger.pool().size() == 0);
  CHECK_FALSE(chain.ledger.holds({held.facts.key, held.facts.commitment}));
}

TEST_CASE("what was pending before a restart waits from the restart on") {
  LoneLedger before;
  before.hold(event("a", "x", 1, 3), Origin::kClient);
  before.store.turns().commit();
  before.store.turns().begin();
  Ledger after(before.store.chain(), before.store.chain().recover(), chain::PoolLimits{},
               chain::Now{});
  after.start(chain::Now{chain::Instant{100h}, {}});
  REQUIRE(after.pool().size() == 1);
  CHECK(after.pool().in_order().front().since == chain::Instant{100h});
}
