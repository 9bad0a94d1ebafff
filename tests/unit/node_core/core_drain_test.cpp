// A node that is to be stopped.

#include <doctest/doctest.h>

#include "tests/unit/node_core/crew_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;
using State = EventOutcome::State;

namespace {

std::optional<DrainStatus> drain_of(Crew& crew, std::size_t at) {
  return crew.nodes[at]->core->status().drain;
}

State submitted(Crew& crew, std::size_t at, const std::string& id) {
  const std::size_t before = crew.answers.size();
  crew.submit(at, event(id, "x", 1), WaitFor::kReceived);
  REQUIRE(crew.answers.size() == before + 1);
  return crew.answers.back().outcomes.at(0).state;
}

}  // namespace

TEST_CASE("a leader that drains hands over, takes in nothing, and waits for what it has") {
  Crew crew(3);
  const std::size_t leader = crew.elect();
  crew.submit(leader, event("a", "x", 1), WaitFor::kFinal);
  crew.handle(leader, OperatorDrains{true});
  REQUIRE(drain_of(crew, leader).has_value());
  CHECK_FALSE(drain_of(crew, leader)->is_done);
  CHECK(drain_of(crew, leader)->events == 1);
  CHECK(drain_of(crew, leader)->requests == 1);
  CHECK_FALSE(crew.nodes[leader]->core->status().intake_open);
  CHECK(submitted(crew, leader, "b") == State::kDraining);

  REQUIRE(crew.run(10s, [&] { return drain_of(crew, leader)->is_done; }));
  const std::size_t next = crew.elect();
  CHECK(next != leader);
  const auto is_final = [](const Answer& answer) {
    return answer.reached && answer.outcomes[0].is_final;
  };
  CHECK(std::ranges::any_of(crew.answers, is_final));

  // What others take in meanwhile is theirs to wait for; this node still votes and follows.
  CHECK(submitted(crew, next, "c") == State::kReceived);
  CHECK(drain_of(crew, leader)->is_done);
  crew.kill(3 - leader - next);
  crew.submit(next, event("d", "x", 1), WaitFor::kFinal);
  CHECK(crew.run(10s, [&] { return crew.answers.back().outcomes[0].is_final; }));
  CHECK(crew.height(leader) == crew.height(next));

  crew.handle(leader, OperatorDrains{false});
  CHECK_FALSE(drain_of(crew, leader).has_value());
  CHECK(submitted(crew, leader, "b") == State::kReceived);
  CHECK(crew.errors.empty());
}

TEST_CASE("a node that drains leads while nobody else can, and hands over when somebody can") {
  Crew crew(3);
  const std::size_t first = crew.elect();
  const std::size_t drained = (first + 1) % 3;
  const std::size_t other = (first + 2) % 3;
  crew.handle(drained, OperatorDrains{true});
  REQUIRE(crew.run(5s, [&] { return drain_of(crew, drained)->is_done; }));
  // Of the two that are left only it has the last entries.
  crew.cut(first, other);
  CHECK(crew.order(first, chain::SetVoterPolicy{{3, 500}}).message == "");
  crew.is_lost = [&](const Crew::Letter& letter) {
    return letter.to == other && std::holds_alternative<net::RaftSaid>(letter.message) &&
           letter.from == first;
  };
  crew.kill(first);
  REQUIRE(
      crew.run(20s, [&] { return crew.leader() == other && drain_of(crew, drained)->is_done; }));
  CHECK(crew.members(other).policy.grace_ms == 500);
}

TEST_CASE("the only voter has nobody to hand over to") {
  Crew crew(1);
  crew.elect();
  crew.submit(0, event("a", "x", 1), WaitFor::kReceived);
  crew.handle(0, OperatorDrains{true});
  CHECK_FALSE(drain_of(crew, 0)->is_done);
  CHECK(crew.run(10s, [&] { return drain_of(crew, 0)->is_done; }));
  CHECK(crew.leader() == 0);
}

TEST_CASE("a voter that drains sends nodes without a vote to another one") {
  Crew crew(3, 1);
  crew.elect();
  crew.admit(3, chain::MemberRole::kObserver);
  const std::size_t leader = crew.elect();
  crew.cut(3, leader);
  const std::size_t drained = (leader + 1) % 3;
  crew.handle(drained, OperatorDrains{true});
  for (int i = 0; i < 4; ++i) {
    crew.submit(3, event("e" + std::to_string(i), "x", 1), WaitFor::kDurable);
    REQUIRE(crew.run(5s, [&] { return crew.answers.size() == static_cast<std::size_t>(i) + 1; }));
    CHECK(crew.answers.back().reached);
  }
  CHECK(drain_of(crew, drained)->is_done);
}
