#include <doctest/doctest.h>

#include "consensus/configuration.h"
#include "node/conduct.h"
#include "node/members.h"
#include "tests/unit/node_core/catch_up_fixture.h"

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

TEST_CASE("who has no part in Raft cannot take part in it, and no term is out of reach") {
  Voter voter;
  const chain::NodeId outsider = voter_id(7);
  voter.core->handle(voter.now, PeerUp{outsider, voter_store(7)});
  voter.end_turn();
  const auto& replica = voter.core->replica();
  const auto term = replica.term();
  const auto last = replica.last_index();

  // A vote request that disregards a leader, and entries that make it the only voter.
  const std::uint64_t number = server_of(outsider).value;
  auto request = vote_request(number, term.value + 1);
  std::get<consensus::RequestVote>(request.envelope.message).disrupt_leader = true;
  voter.core->handle(voter.now, PeerSaid{outsider, request});
  consensus::AppendEntries entries;
  entries.term = term.next();
  entries.prev_index = consensus::LogIndex{1};
  entries.prev_term = consensus::Term{1};
  entries.leader_commit = consensus::LogIndex{2};
  entries.entries = {{entries.term, consensus::EntryKind::kChange,
                      consensus::encode_configuration({{consensus::ServerId{number}}})}};
  voter.core->handle(voter.now,
                     PeerSaid{outsider, net::RaftSaid{{consensus::ServerId{number},
                                                       consensus::ServerId{1}, entries}}});
  CHECK(voter.hung_up().empty());  // it may be this node that is behind
  CHECK(replica.term() == term);
  CHECK(replica.last_index() == last);
  CHECK_FALSE(replica.leader());

  // Nor does a voter bring a term near the end of all numbers.
  voter.said(1, vote_request(2, std::uint64_t{1} << 61));
  CHECK(replica.term() == term);
  voter.said(1, vote_request(2, term.value + 1000));
  CHECK(replica.term().value == term.value + 1000);
}

TEST_CASE("a body that breaks the rules costs its sender the link") {
  Voter voter;
  voter.said(2, net::Events{1, {{chain::Salt{}, "no canonical body"}}});
  CHECK(voter.hung_up() == std::vector{voter_id(2)});
}

TEST_CASE("a voter does not take up a template of somebody without a vote") {
  Behind one;
  const chain::NodeId outsider = voter_id(7);
  one.voter.core->handle(one.voter.now, PeerUp{outsider, voter_store(7)});
  const chain::Block block = one.history.block(1);
  const net::TemplatePush push{{block.sealed.header, block.content}};
  one.voter.core->handle(one.voter.now, PeerSaid{outsider, push});
  one.end_turn();
  CHECK_FALSE(one.voter.core->status().in_work);
  one.said(1, push);
  CHECK(one.voter.core->status().in_work);
}

TEST_CASE("nobody without a vote fills the pool beyond its limit") {
  Voter voter;
  const chain::NodeId outsider = voter_id(7);
  voter.core->handle(voter.now, PeerUp{outsider, voter_store(7)});
  voter.end_turn();
  const auto batch = [](std::uint64_t number, const std::string& key) {
    const auto held = event(key, "x", 1);
    return net::Events{number, {{held.salt, held.body}}};
  };
  voter.core->handle(voter.now, PeerSaid{outsider, batch(1, "a")});
  std::vector<net::HoldResult> results;
  for (const auto& effect : voter.end_turn()) {
    const auto* send = std::get_if<Send>(&effect);
    if (send == nullptr) continue;
    if (const auto* held = std::get_if<net::EventsHeld>(&send->message)) results = held->results;
  }
  CHECK(results == std::vector{net::HoldResult::kRefused});
  CHECK(voter.core->status().pending_events == 0);
  voter.said(1, batch(1, "b"));  // another voter's is taken
  voter.end_turn();
  CHECK(voter.core->status().pending_events == 1);
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
