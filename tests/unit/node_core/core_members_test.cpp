#include <doctest/doctest.h>

#include "consensus/configuration.h"
#include "node/members.h"
#include "tests/unit/node_core/crew_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

namespace {

chain::SetRole role(std::size_t place, chain::MemberRole to) {
  return {voter_id(place), to};
}

}  // namespace

TEST_CASE("an order is carried out whichever node is asked, and every node learns of it") {
  Crew crew(3);
  const std::size_t leader = crew.elect();
  for (std::size_t at = 0; at < 3; ++at) {
    const auto wanted = static_cast<std::uint32_t>(1000 + at);
    const auto answer = crew.order(at, chain::SetVoterPolicy{{3, wanted}});
    CHECK(answer.outcome == net::OrderOutcome::kDone);
    CHECK(answer.height == crew.height(at));
    CHECK(crew.members(at).policy.grace_ms == wanted);
  }
  const auto refused = crew.order((leader + 1) % 3, chain::SetVoterPolicy{{4, 0}});
  CHECK(refused.outcome == net::OrderOutcome::kRefused);
  CHECK(refused.message.find("3, 5 or 7") != std::string::npos);
  CHECK(crew.errors.empty());
}

TEST_CASE("an order that no leader takes up in time is told so") {
  Crew crew(3);
  const std::size_t leader = crew.elect();
  const std::size_t at = (leader + 1) % 3;
  crew.kill(leader);
  crew.kill((leader + 2) % 3);
  const auto answer =
      crew.order(at, net::Order(chain::MemberOrder{"", chain::SetVoterPolicy{{3, 1}}}), 5s);
  CHECK(answer.outcome == net::OrderOutcome::kNotNow);
}

TEST_CASE("a node joins as a standby, catches up, is promoted and counts in both quorums") {
  Crew crew(3, 1);
  crew.elect();
  for (int i = 0; i < 5; ++i)
    CHECK(crew.order(0, chain::SetVoterPolicy{{3, static_cast<std::uint32_t>(i + 1)}}).message ==
          "");
  crew.admit(3, chain::MemberRole::kStandby);
  CHECK(crew.run(10s, [&] { return crew.height(3) == crew.height(0); }));
  const std::size_t leader = crew.elect();
  CHECK(crew.run(10s, [&] {
    const auto* server = consensus::find_server(crew.nodes[leader]->core->replica().configuration(),
                                                server_of(voter_id(3)));
    return server != nullptr && server->suffrage == consensus::Suffrage::kStandby;
  }));
  CHECK(crew.order(3, role(3, chain::MemberRole::kVoter)).message == "");
  CHECK(crew.run(10s, [&] { return crew.raft_voters(leader) == 4; }));
  // Four voters: two of them can not decide anything.
  crew.kill((leader + 1) % 4);
  CHECK(crew.order(leader, chain::SetVoterPolicy{{3, 77}}).message == "");
  crew.kill((leader + 2) % 4);
  const auto stuck =
      crew.order(leader, net::Order(chain::MemberOrder{"", chain::SetVoterPolicy{{3, 78}}}), 5s);
  CHECK(stuck.outcome == net::OrderOutcome::kNotNow);
  CHECK(crew.errors.empty());
}

TEST_CASE("a follower is removed: demoted first, out of Raft, then told to stop") {
  Crew crew(3);
  const std::size_t leader = crew.elect();
  const std::size_t leaves = (leader + 1) % 3;
  CHECK(crew.order(leader, chain::RemoveMember{voter_id(leaves)}).message == "");
  CHECK(crew.run(10s, [&] { return crew.removed.contains(leaves); }));
  CHECK(crew.raft_voters(leader) == 2);
  CHECK(crew.members(leader).members.size() == 2);
  CHECK(crew.order(leader, chain::SetVoterPolicy{{3, 1}}).message == "");
  CHECK(crew.errors.empty());
}

TEST_CASE("a leader is removed: it hands over, and the next one finishes it") {
  Crew crew(3);
  const std::size_t leader = crew.elect();
  const std::size_t asked = (leader + 1) % 3;
  CHECK(crew.order(asked, chain::RemoveMember{voter_id(leader)}).message == "");
  CHECK(crew.run(10s, [&] { return crew.removed.contains(leader); }));
  const std::size_t next = crew.elect();
  CHECK(next != leader);
  CHECK(crew.run(5s, [&] { return crew.raft_voters(next) == 2; }));
  CHECK(crew.order(next, chain::SetVoterPolicy{{3, 1}}).message == "");
  CHECK(crew.errors.empty());
}

TEST_CASE("leadership goes where an operator wants it") {
  Crew crew(3);
  const std::size_t leader = crew.elect();
  const std::size_t to = (leader + 1) % 3;
  CHECK(crew.order((leader + 2) % 3, net::Order(net::TransferLeadership{voter_id(to)})).message ==
        "");
  CHECK(crew.run(5s, [&] { return crew.leader() == to; }));
  CHECK(crew.order(to, net::Order(net::TransferLeadership{voter_id(9)})).outcome ==
        net::OrderOutcome::kRefused);
}

TEST_CASE("nobody is demoted if the rest would be no majority, nor promoted if it lags") {
  Crew crew(3, 1);
  const std::size_t leader = crew.elect();
  crew.admit(3, chain::MemberRole::kStandby);
  crew.run(3s);
  crew.kill((leader + 1) % 3);
  const auto refused = crew.order(leader, role((leader + 2) % 3, chain::MemberRole::kStandby));
  CHECK(refused.outcome == net::OrderOutcome::kRefused);
  CHECK(refused.message.find("majority") != std::string::npos);
  crew.kill(3);
  const auto lags = crew.order(leader, role(3, chain::MemberRole::kVoter));
  CHECK(lags.outcome == net::OrderOutcome::kNotNow);
  // The dead one may go, because those that are left are enough.
  CHECK(crew.order(leader, role((leader + 1) % 3, chain::MemberRole::kStandby)).message == "");
  CHECK(crew.run(10s, [&] { return crew.raft_voters(leader) == 2; }));
}

TEST_CASE("a lost voter is replaced by a standby after the grace time, and not before") {
  Crew crew(3, 1);
  const std::size_t leader = crew.elect();
  crew.admit(3, chain::MemberRole::kStandby);
  CHECK(crew.order(leader, chain::SetVoterPolicy{{3, 5000}}).message == "");
  crew.run(3s);
  const std::size_t lost = (leader + 1) % 3;
  crew.kill(lost);
  crew.run(4s);
  CHECK(crew.raft_voters(leader) == 3);
  CHECK(chain::find_member(crew.members(leader), voter_id(lost))->role ==
        chain::MemberRole::kVoter);
  CHECK(crew.run(20s, [&] {
    const auto* was = chain::find_member(crew.members(leader), voter_id(lost));
    const auto* is = chain::find_member(crew.members(leader), voter_id(3));
    return was->role == chain::MemberRole::kStandby && is->role == chain::MemberRole::kVoter;
  }));
  CHECK(crew.run(5s, [&] { return crew.raft_voters(leader) == 3; }));
  // And then another may fail.
  crew.kill((leader + 2) % 3);
  CHECK(crew.order(leader, chain::SetVoterPolicy{{3, 6000}}).message == "");
  CHECK(crew.errors.empty());
}

TEST_CASE("voters change only when what was durable before has its place") {
  Crew crew(3, 1);
  const std::size_t leader = crew.elect();
  crew.admit(3, chain::MemberRole::kStandby);
  crew.run(3s);
  const std::size_t holder = (leader + 1) % 3;
  const std::size_t slow = (leader + 2) % 3;
  // An event that waits for a version of its stream that is not there stays pending, and one voter
  // never hears of it.
  crew.cut(leader, slow);
  crew.submit(leader, event("a", "x", 1, 7), WaitFor::kDurable);
  REQUIRE(crew.run(5s, [&] { return crew.answers.size() == 1; }));
  CHECK(crew.answers[0].outcomes[0].state == EventOutcome::State::kDurable);
  crew.cuts.clear();
  crew.handle(leader, Crew::up(slow));
  crew.handle(slow, Crew::up(leader));
  crew.run(1s);

  // Neither more voters nor less, until the event's expectation has run out in a block.
  const auto patience = std::chrono::seconds(90);
  const RequestId promotion{1000};
  const net::Order promote = chain::MemberOrder{"ann", role(3, chain::MemberRole::kVoter)};
  crew.handle(leader, ClientOrders{promotion, promote, crew.now.steady + patience});
  crew.run(10s);
  CHECK(crew.raft_voters(leader) == 3);
  CHECK(crew.nodes[leader]->core->pool().size() == 1);
  CHECK(crew.run(60s, [&] { return crew.raft_voters(leader) == 4; }));
  CHECK(crew.nodes[leader]->core->pool().size() == 0);

  CHECK(crew.order(leader, role(holder, chain::MemberRole::kStandby)).message == "");
  CHECK(crew.run(10s, [&] { return crew.raft_voters(leader) == 3; }));
  CHECK(crew.errors.empty());
}

TEST_CASE("a vote is not dropped when one more voter was lost since the block that wants it") {
  Crew crew(3);
  const std::size_t leader = crew.elect();
  const std::size_t leaves = (leader + 1) % 3;
  const std::size_t other = (leader + 2) % 3;
  // A pending event holds the vote back, and then the third voter dies.
  CHECK(crew.order(leader, chain::SetVoterPolicy{{0, 1}}).message == "");
  crew.cut(leader, other);
  crew.handle(leader, Crew::up(other));
  crew.handle(other, Crew::up(leader));
  crew.cuts.clear();
  const net::Order demote = chain::MemberOrder{"ann", role(leaves, chain::MemberRole::kStandby)};
  crew.handle(leader, ClientOrders{RequestId{1000}, demote, crew.now.steady + 60s});
  const auto is_demoted = [&] {
    return chain::find_member(crew.members(leader), voter_id(leaves))->role ==
           chain::MemberRole::kStandby;
  };
  REQUIRE(crew.run(20s, is_demoted));
  crew.kill(other);
  crew.run(10s);
  if (crew.raft_voters(leader) == 3) {
    // Leader and the demoted one are still a majority of Raft's voters, and go on.
    CHECK(crew.order(leader, chain::SetVoterPolicy{{0, 2}}).message == "");
  }
  CHECK(crew.leader().has_value());
}

TEST_CASE("of two voters that are to leave at once both leave, one after the other") {
  Crew crew(5);
  const std::size_t leader = crew.elect();
  const std::size_t first = (leader + 1) % 5;
  const std::size_t second = (leader + 2) % 5;
  for (const std::size_t leaves : {first, second}) {
    const net::Order order = chain::MemberOrder{"ann", chain::RemoveMember{voter_id(leaves)}};
    crew.handle(leader, ClientOrders{RequestId{1000 + leaves}, order, crew.now.steady + 60s});
  }
  CHECK(
      crew.run(60s, [&] { return crew.removed.contains(first) && crew.removed.contains(second); }));
  CHECK(crew.run(10s, [&] { return crew.raft_voters(leader) == 3; }));
  for (const auto& answer : crew.orders) CHECK(answer.message == "");
  CHECK(crew.errors.empty());
}

TEST_CASE("an order that can not be carried out any more is refused, also if no block results") {
  Crew crew(3, 1);
  const std::size_t leader = crew.elect();
  crew.admit(3, chain::MemberRole::kStandby);
  crew.run(3s);
  const net::Order promote = chain::MemberOrder{"ann", role(3, chain::MemberRole::kVoter)};
  const net::Order again = chain::MemberOrder{"bob", role(3, chain::MemberRole::kVoter)};
  crew.handle(leader, ClientOrders{RequestId{1000}, promote, crew.now.steady + 30s});
  crew.handle(leader, ClientOrders{RequestId{1001}, again, crew.now.steady + 30s});
  REQUIRE(crew.run(40s, [&] {
    return std::ranges::count_if(crew.orders, [](const auto& one) {
             return one.request == RequestId{1000} || one.request == RequestId{1001};
           }) == 2;
  }));
  for (const auto& answer : crew.orders) {
    if (answer.request == RequestId{1000}) CHECK(answer.outcome == net::OrderOutcome::kDone);
    if (answer.request == RequestId{1001}) CHECK(answer.outcome == net::OrderOutcome::kRefused);
  }
}

TEST_CASE("a leader takes no key under which anybody can sign, whoever passes the order on") {
  Crew crew(3);
  const std::size_t leader = crew.elect();
  const std::size_t asked = (leader + 1) % 3;
  chain::Member renewed = *chain::find_member(crew.members(leader), voter_id(asked));
  renewed.signing_key = chain::PublicKey{};
  renewed.signing_key.octets[0] = 1;
  const auto answer = crew.order(asked, chain::UpdateMember{renewed});
  CHECK(answer.outcome == net::OrderOutcome::kRefused);
  CHECK(answer.message.find("small order") != std::string::npos);
  CHECK(crew.members(leader).members.at(asked).signing_key != renewed.signing_key);
}

TEST_CASE("a voter whose key is about to change signs nothing, and nobody shuns it") {
  Crew crew(3);
  const std::size_t leader = crew.elect();
  const std::size_t renews = (leader + 1) % 3;
  chain::Member renewed = *chain::find_member(crew.members(leader), voter_id(renews));
  renewed.signing_key.octets[5] = 77;
  CHECK(crew.order(leader, chain::UpdateMember{renewed}).message == "");
  for (std::uint32_t i = 1; i <= 5; ++i)
    CHECK(crew.order(leader, chain::SetVoterPolicy{{0, i}}).message == "");
  crew.run(1s);
  CHECK(crew.nodes[leader]->core->certified() == crew.height(leader));
  for (const auto& peer : crew.nodes[leader]->core->status().peers) CHECK(peer.faults == 0);
}

TEST_CASE("a removed node keeps its links for a moment, so that it learns that it was removed") {
  Crew crew(3, 1);
  const std::size_t leader = crew.elect();
  crew.admit(3, chain::MemberRole::kObserver);
  crew.run(2s);
  crew.leaving.clear();
  CHECK(crew.order(leader, chain::RemoveMember{voter_id(3)}).message == "");
  CHECK(crew.leaving[leader] == std::vector{voter_id(3)});
  CHECK(crew.run(3s, [&] { return crew.removed.contains(3); }));
  CHECK(crew.run(6s, [&] { return crew.leaving[leader].empty(); }));
}

TEST_CASE(
    "a node that is removed answers all who wait before it ends, itself the one that was asked") {
  for (const bool is_leader : {false, true}) {
    INFO("the leader: ", is_leader);
    Crew crew(3);
    const std::size_t leader = crew.elect();
    const std::size_t leaves = is_leader ? leader : (leader + 1) % 3;
    const RequestId wish{1000};
    const net::Order removal = chain::MemberOrder{"ann", chain::RemoveMember{voter_id(leaves)}};
    crew.handle(leaves, ClientOrders{wish, removal, crew.now.steady + 60s});
    std::size_t submitted = 0;
    REQUIRE(crew.run(60s, [&] {
      if (crew.removed.contains(leaves)) return true;
      if (crew.now.wall.value % 100 == 0)
        crew.submit(leaves, event("a", std::to_string(++submitted), 1), WaitFor::kFinal);
      return false;
    }));
    const auto answer = std::ranges::find(crew.orders, wish, &OrderAnswer::request);
    REQUIRE(answer != crew.orders.end());
    CHECK(answer->outcome == net::OrderOutcome::kDone);
    CHECK(answer->height == crew.height(leaves));
    // Who waits for what it will not hear of any more is told how far it knows.
    CHECK(submitted > 0);
    CHECK(crew.answers.size() == submitted);
  }
}
