#include <doctest/doctest.h>

#include "node/conduct.h"
#include "tests/unit/node_core/voter_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

namespace {

net::RaftSaid vote_request(std::uint64_t from, std::uint64_t term) {
  consensus::RequestVote message;
  message.term = consensus::Term{term};
  message.candidate = consensus::ServerId{from};
  message.last_log_index = consensus::LogIndex{1};
  message.last_log_term = consensus::Term{1};
  return {{consensus::ServerId{from}, consensus::ServerId{1}, message}};
}

}  // namespace

TEST_CASE("whoever speaks in another member's name is hung up on and not listened to for a while") {
  Voter voter;
  const auto term = voter.core->replica().term();
  voter.said(1, vote_request(3, 7));
  CHECK(voter.hung_up() == std::vector{voter_id(1)});
  CHECK(voter.core->replica().term() == term);
  CHECK(voter.core->status().peers[0].shunned);
  CHECK(voter.core->status().peers[0].faults == 1);

  voter.said(1, vote_request(2, 9));  // its own name, but it had its chance
  CHECK(voter.core->replica().term() == term);
  // It may hold a link, so that it does not try again and again, but is not heard.
  voter.core->handle(voter.now, PeerUp{voter_id(1), voter_store(1)});
  voter.said(1, vote_request(2, 9));
  CHECK(voter.hung_up().empty());
  CHECK(voter.core->replica().term() == term);
  CHECK_FALSE(voter.core->status().peers[0].linked);

  voter.now.steady = voter.now.steady + Conduct::kShunFor;
  CHECK(voter.core->next_wakeup() <= voter.now.steady);
  voter.core->handle(voter.now, Woke{});
  CHECK(voter.hung_up() == std::vector{voter_id(1)});  // to begin anew
  voter.core->handle(voter.now, PeerDown{voter_id(1)});
  voter.core->handle(voter.now, PeerUp{voter_id(1), voter_store(1)});
  CHECK(voter.hung_up().empty());
  CHECK(voter.core->status().peers[0].linked);
  CHECK_FALSE(voter.core->status().peers[0].shunned);
}

TEST_CASE("a body that breaks the rules costs its sender the link") {
  Voter voter;
  voter.said(2, net::Events{1, {{chain::Salt{}, "no canonical body"}}});
  CHECK(voter.hung_up() == std::vector{voter_id(2)});
}

TEST_CASE("shares without work are checked a few times only") {
  Voter voter;
  const auto assembled = [&] {
    store::MemoryStore store(voter.genesis);
    store.turns().begin();
    Ledger ledger(store.chain(), store.chain().recover(), chain::PoolLimits{}, chain::Now{});
    return ledger.assemble({1'750'000'000'000}, {1'750'000'000'000}, chain::Now{}, {}).made;
  }();
  voter.said(1, net::TemplatePush{assembled});
  std::ignore = voter.end_turn();
  const chain::TemplateHash hash = chain::template_hash(assembled.header);
  const auto target = chain::expand(assembled.header.share_target);
  std::uint32_t sent = 0;
  std::vector<chain::NodeId> hung_up;
  for (chain::Nonce nonce; hung_up.empty() && sent < 1000; ++nonce.low) {
    if (chain::share_meets(chain::Sha256Digest(), assembled.header, nonce, *target)) continue;
    ++sent;
    voter.said(2, net::SharePush{hash, nonce});
    hung_up = voter.hung_up();
  }
  CHECK(sent == 20);
  CHECK(hung_up == std::vector{voter_id(2)});
}
