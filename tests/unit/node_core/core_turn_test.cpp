#include <doctest/doctest.h>

#include "node/durability.h"
#include "tests/unit/node_core/trio_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

namespace {

// A settled trio and an event for the node that is neither leader nor first of the others.
struct Offered {
  Offered() : leader(trio.elect()) {
    trio.run(500ms);
    second = leader == 0 ? 1 : 0;
    outsider = 3 - leader - second;
  }
  NodeCore::Step offer(std::size_t at, WaitFor wait) {
    trio.cores[at]->handle(trio.now,
                           ClientSubmit{RequestId{1}, {offered}, wait, trio.now.steady + 60s});
    return trio.cores[at]->step(trio.now);
  }
  // `voter` says that it holds the one event of a batch; what follows from that.
  NodeCore::Step held(std::size_t voter, std::uint64_t batch) {
    const net::EventsHeld answer{batch, {net::HoldResult::kHeld}};
    trio.cores[outsider]->handle(trio.now, PeerSaid{voter_id(voter), answer});
    return trio.cores[outsider]->step(trio.now);
  }

  Trio trio;
  std::size_t leader;
  std::size_t second;
  std::size_t outsider;
  const chain::HeldEvent offered = event("a", "x", 1);
};

}  // namespace

TEST_CASE("the turn of a node outside the quorum stays open, and its client is answered in it") {
  Offered one;
  const auto step = one.offer(one.outsider, WaitFor::kDurable);
  CHECK(step.commit_by == one.trio.now.steady + Durability::kTrailing);
  REQUIRE(step.ahead.size() == 1);
  const auto& send = std::get<Send>(step.ahead[0]);
  CHECK(send.to.size() == 2);
  const std::uint64_t batch = std::get<net::Events>(send.message).batch;
  CHECK(one.held(one.leader, batch).ahead.empty());
  const auto answered = one.held(one.second, batch);
  REQUIRE(answered.ahead.size() == 1);
  CHECK(std::get<Answer>(answered.ahead[0]).outcomes.at(0).state == EventOutcome::State::kDurable);
  CHECK(answered.commit_by == one.trio.now.steady + Durability::kTrailing);
}

TEST_CASE("an open turn ends when its time is over or somebody waits for it") {
  Offered one;
  std::ignore = one.offer(one.outsider, WaitFor::kDurable);
  SUBCASE("its time is over") {
    one.trio.now.steady = one.trio.now.steady + Durability::kTrailing;
    CHECK(one.trio.cores[one.outsider]->step(one.trio.now).commit_by <= one.trio.now.steady);
  }
  SUBCASE("a peer sends bodies and waits to hear that they are held") {
    const auto other = event("b", "y", 2);
    const net::Events bodies{77, {{other.salt, other.body}}};
    one.trio.cores[one.outsider]->handle(one.trio.now, PeerSaid{voter_id(one.second), bodies});
    CHECK(one.trio.cores[one.outsider]->step(one.trio.now).commit_by <= one.trio.now.steady);
  }
}

TEST_CASE("who waits for received, and members of the quorum, do not let a turn wait") {
  Offered one;
  CHECK(one.offer(one.outsider, WaitFor::kReceived).commit_by <= one.trio.now.steady);
  CHECK(one.offer(one.leader, WaitFor::kDurable).commit_by <= one.trio.now.steady);
  CHECK(one.offer(one.second, WaitFor::kDurable).commit_by <= one.trio.now.steady);
}
