// What a node counts of the shares that come to it.

#include <doctest/doctest.h>

#include <tuple>

#include "tests/unit/node_core/voter_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;

namespace {

// A template of the first block of the voter's chain, begun so many milliseconds later than others.
chain::Template template_of(const Voter& voter, std::int64_t later) {
  store::MemoryStore store(voter.genesis);
  store.turns().begin();
  Ledger ledger(store.chain(), store.chain().recover(), chain::PoolLimits{}, chain::Now{});
  const chain::UnixMillis begun{1'750'000'000'000 + later};
  return ledger.assemble(begun, begun, chain::Now{}, {}).made;
}

// The share with that number of a member's.
mining::ShareFound share_of(const chain::TemplateHeader& header, std::uint16_t slot,
                            std::uint64_t number) {
  const auto target = chain::expand(header.share_target);
  chain::Nonce nonce{chain::nonce_high(chain::Slot{slot}, 0, number), 0};
  while (!chain::share_meets(chain::Sha256Digest(), header, nonce, *target)) ++nonce.low;
  return {chain::template_hash(header), nonce};
}

net::SharePush push_of(const mining::ShareFound& share) {
  return {share.template_hash, share.nonce};
}

}  // namespace

TEST_CASE("every share is counted once, by who found it and what became of it") {
  // No voter: it takes up what a voter took up last, and needs no leader for that.
  Voter voter(nullptr, voter_id(7));
  const chain::Template first = template_of(voter, 0);
  const chain::Template second = template_of(voter, 1'000);
  const chain::Template third = template_of(voter, 2'000);
  REQUIRE(first.header.share_count == 1);
  const auto take_up = [&voter](const chain::Template& made) {
    voter.said(1, net::TemplatePush{made});
    std::ignore = voter.end_turn();
    REQUIRE(voter.core->status().in_work == made.header);
  };
  take_up(first);

  const auto counters = [&voter] { return voter.core->status().counters; };
  const mining::ShareFound own = share_of(first.header, 0, 1);
  voter.core->handle(voter.now, MinerFound{own});
  CHECK(counters().own_shares == ShareCounts{.accepted = 1});
  voter.said(2, push_of(own));
  CHECK(counters().peer_shares == ShareCounts{.duplicate = 1});
  // One share seals this chain's blocks: another one is of no use to anybody.
  voter.core->handle(voter.now, MinerFound{share_of(first.header, 0, 2)});
  CHECK(counters().own_shares == ShareCounts{.accepted = 1, .surplus = 1});
  CHECK(counters().shares_lost == 0);

  // Another template takes its place, and the share goes with the old one.
  take_up(second);
  CHECK(counters().shares_lost == 1);
  voter.core->handle(voter.now, MinerFound{share_of(first.header, 0, 3)});
  voter.said(2, push_of(share_of(first.header, 2, 1)));
  CHECK(counters().own_shares == ShareCounts{.accepted = 1, .surplus = 1, .stale = 1});
  CHECK(counters().peer_shares == ShareCounts{.duplicate = 1, .stale = 1});

  // A share that is ahead of its template waits, and is counted when that has come.
  voter.said(2, push_of(share_of(third.header, 2, 1)));
  CHECK(counters().peer_shares == ShareCounts{.duplicate = 1, .stale = 1});
  take_up(third);
  CHECK(counters().peer_shares == ShareCounts{.accepted = 1, .duplicate = 1, .stale = 1});
  CHECK(counters().shares_lost == 1);  // nobody had found one for the second
}

TEST_CASE("a share that misses the target is refused and counted as that") {
  Voter voter;
  const chain::Template made = template_of(voter, 0);
  voter.said(1, net::TemplatePush{made});
  std::ignore = voter.end_turn();
  const auto target = chain::expand(made.header.share_target);
  chain::Nonce nonce{chain::nonce_high(chain::Slot{2}, 0, 0), 0};
  while (chain::share_meets(chain::Sha256Digest(), made.header, nonce, *target)) ++nonce.low;
  voter.said(2, net::SharePush{chain::template_hash(made.header), nonce});
  CHECK(voter.core->status().counters.peer_shares == ShareCounts{.refused = 1});
}

TEST_CASE("shares of nothing leave room for those of others that outrun their template") {
  Voter voter;
  const chain::Template made = template_of(voter, 0);
  chain::TemplateHeader unknown = made.header;
  unknown.time.value += 1;
  for (std::uint32_t i = 0; i < 1000; ++i)
    voter.said(2, net::SharePush{chain::template_hash(unknown), {i, i}});
  voter.said(1, push_of(share_of(made.header, 1, 1)));
  voter.said(1, net::TemplatePush{made});
  std::ignore = voter.end_turn();
  CHECK(voter.core->status().counters.peer_shares == ShareCounts{.accepted = 1});
}
