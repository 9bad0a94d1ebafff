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

TEST_CASE("what was durable survives the exchange of everybody who held it but one") {
  Crew crew(3, 1);
  const std::size_t leader = crew.elect();
  crew.admit(3, chain::MemberRole::kStandby);
  crew.run(3s);
  const std::size_t holder = (leader + 1) % 3;
  const std::size_t slow = (leader + 2) % 3;
  // An event that waits for a version of its stream that is not there stays pending.
  crew.cut(leader, slow);
  crew.submit(leader, event("a", "x", 1, 7), WaitFor::kDurable);
  REQUIRE(crew.run(5s, [&] { return crew.answers.size() == 1; }));
  CHECK(crew.answers[0].outcomes[0].state == EventOutcome::State::kDurable);
  crew.cuts.clear();
  crew.handle(leader, PeerUp{voter_id(slow)});
  crew.handle(slow, PeerUp{voter_id(leader)});
  crew.run(1s);
  CHECK(crew.order(leader, role(3, chain::MemberRole::kVoter)).message == "");
  CHECK(crew.run(5s, [&] { return crew.raft_voters(leader) == 4; }));
  CHECK(crew.order(leader, role(holder, chain::MemberRole::kStandby)).message == "");
  const chain::Height demoted = crew.height(leader);
  // Its vote stays until the event has its place: here, until its expectation has run out.
  crew.run(5s);
  CHECK(crew.raft_voters(leader) == 4);
  CHECK(crew.run(60s, [&] { return crew.raft_voters(leader) == 3; }));
  CHECK(crew.nodes[leader]->core->pool().size() == 0);
  CHECK(crew.height(leader) > demoted);
  CHECK(crew.errors.empty());
}
