#include "node/durability.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "tests/unit/node_core/events_sent.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

namespace {

chain::Instant at(std::chrono::nanoseconds since_start) {
  return {since_start};
}

chain::NodeId node_id(std::uint8_t number) {
  chain::NodeId id;
  id.octets[15] = number;
  return id;
}

chain::MembersRef members_of(std::uint8_t voters) {
  chain::MemberSet set;
  for (std::uint8_t i = 0; i < voters; ++i) {
    chain::Member member;
    member.node = node_id(static_cast<std::uint8_t>(i + 1));
    member.slot = chain::Slot{i};
    member.name = "n" + std::to_string(i + 1);
    set.members.push_back(member);
  }
  return std::make_shared<const chain::MemberSet>(std::move(set));
}

chain::HeldEvent event(std::uint8_t number, std::size_t body_bytes = 10) {
  chain::HeldEvent held;
  held.facts.key.octets[0] = number;
  held.facts.commitment.octets[0] = number;
  held.body.assign(body_bytes, 'x');
  return held;
}

net::EventsHeld all_held(std::uint64_t batch, std::size_t events) {
  return {batch, std::vector<net::HoldResult>(events, net::HoldResult::kHeld)};
}

struct Voters {
  explicit Voters(std::uint8_t count, std::uint8_t self = 1)
      : members(members_of(count), node_id(self)) {
    for (std::uint8_t i = 1; i <= count; ++i)
      if (i != self) members.link_up(node_id(i));
  }
  Members members;
  Outbox outbox;
  Durability durability{members, outbox, 1};
};

}  // namespace

TEST_CASE("in a cluster of one an event is durable with the turn that took it") {
  Voters one(1);
  CHECK(one.durability.leader_is(node_id(1)).durable.empty());
  one.durability.accepted(event(1));
  const auto progress = one.durability.flush(at(0ms));
  CHECK(progress.durable.empty());
  CHECK(progress.durable_with_turn.size() == 1);
  CHECK(one.durability.open_batches() == 0);
}

TEST_CASE("of three voters, this node and the leader are a majority") {
  Voters three(3);
  std::ignore = three.durability.leader_is(node_id(2));
  three.durability.accepted(event(1));
  three.durability.accepted(event(2));
  CHECK(three.durability.flush(at(0ms)).durable.empty());
  const auto batches = sent(three.outbox);
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].events.size() == 2);
  CHECK(three.durability.held(node_id(2), all_held(batches[0].batch, 2), at(0ms)).durable.size() ==
        2);
  CHECK(three.durability.open_batches() == 0);
}

TEST_CASE("a majority without the leader is not durable until the leader holds it or changes") {
  Voters three(3);
  std::ignore = three.durability.leader_is(node_id(2));
  three.durability.accepted(event(1));
  std::ignore = three.durability.flush(at(0ms));
  const auto batch = sent(three.outbox).at(0).batch;
  CHECK(three.durability.held(node_id(3), all_held(batch, 1), at(0ms)).durable.empty());
  CHECK(three.durability.open_batches() == 1);
  SUBCASE("the leader answers") {
    CHECK(three.durability.held(node_id(2), all_held(batch, 1), at(0ms)).durable.size() == 1);
  }
  SUBCASE("the voter that holds it becomes the leader") {
    CHECK(three.durability.leader_is(node_id(3)).durable.size() == 1);
  }
  SUBCASE("nobody leads") {
    CHECK(three.durability.leader_is(std::nullopt).durable.empty());
  }
}

TEST_CASE("five voters need three holders") {
  Voters five(5);
  std::ignore = five.durability.leader_is(node_id(1));
  five.durability.accepted(event(1));
  std::ignore = five.durability.flush(at(0ms));
  const auto batch = sent(five.outbox).at(0).batch;
  CHECK(five.durability.held(node_id(2), all_held(batch, 1), at(0ms)).durable.empty());
  CHECK(
      five.durability.held(node_id(2), all_held(batch, 1), at(0ms)).durable.empty());  // said twice
  CHECK(five.durability.held(node_id(3), all_held(batch, 1), at(0ms)).durable.size() == 1);
}

TEST_CASE("only the leader's word makes a key conflict") {
  Voters three(3);
  std::ignore = three.durability.leader_is(node_id(2));
  three.durability.accepted(event(1));
  std::ignore = three.durability.flush(at(0ms));
  const auto batch = sent(three.outbox).at(0).batch;
  const net::EventsHeld conflict{batch, {net::HoldResult::kConflict}};
  CHECK(three.durability.held(node_id(3), conflict, at(0ms)).conflicts.empty());
  const auto progress = three.durability.held(node_id(2), conflict, at(0ms));
  REQUIRE(progress.conflicts.size() == 1);
  CHECK(progress.conflicts[0].key == event(1).facts.key);
  CHECK(three.durability.open_batches() == 0);
}

TEST_CASE("an answer for an unknown batch or of another length changes nothing") {
  Voters three(3);
  std::ignore = three.durability.leader_is(node_id(2));
  three.durability.accepted(event(1));
  std::ignore = three.durability.flush(at(0ms));
  const auto batch = sent(three.outbox).at(0).batch;
  CHECK(three.durability.held(node_id(2), all_held(batch + 1, 1), at(0ms)).durable.empty());
  CHECK(three.durability.held(node_id(2), all_held(batch, 2), at(0ms)).durable.empty());
  CHECK(three.durability.held(node_id(9), all_held(batch, 1), at(0ms)).durable.empty());
  CHECK(three.durability.open_batches() == 1);
}

TEST_CASE("large turns travel in several messages") {
  Voters three(3);
  std::ignore = three.durability.leader_is(node_id(2));
  for (std::uint8_t i = 0; i < 5; ++i) three.durability.accepted(event(i, 600'000));
  std::ignore = three.durability.flush(at(0ms));
  const auto batches = sent(three.outbox);
  CHECK(batches.size() == 5);  // two of them would exceed the bound of a message
}

// --- who is waited for ------------------------------------------------------------------------

namespace {

// The receivers of bodies that left since it was asked last.
std::vector<chain::NodeId> receivers(Outbox& outbox) {
  std::vector<chain::NodeId> result;
  for (const auto& effect : outbox.take_ahead()) {
    const auto& send = std::get<Send>(effect);
    result.insert(result.end(), send.to.begin(), send.to.end());
  }
  return result;
}

}  // namespace

TEST_CASE("bodies go to the quorum at once and to the other voters together, a little later") {
  Voters five(5);  // this is the voter with the first slot
  std::ignore = five.durability.leader_is(node_id(5));
  five.durability.accepted(event(1));
  std::ignore = five.durability.flush(at(0ms));
  CHECK(receivers(five.outbox) == std::vector{node_id(5), node_id(2)});
  CHECK(five.durability.next_deadline() == at(Durability::kTrailing));
  five.durability.accepted(event(2));
  std::ignore = five.durability.flush(at(4ms));
  CHECK(receivers(five.outbox) == std::vector{node_id(5), node_id(2)});
  std::ignore = five.durability.flush(at(Durability::kTrailing - 1ns));
  CHECK(receivers(five.outbox).empty());
  std::ignore = five.durability.flush(at(Durability::kTrailing));
  const std::vector others{node_id(3), node_id(4)};
  CHECK(receivers(five.outbox) == std::vector{others[0], others[1], others[0], others[1]});
  CHECK_FALSE(five.durability.next_deadline());
}

TEST_CASE("without a leader, bodies go to everybody at once") {
  Voters three(3);
  three.durability.accepted(event(1));
  std::ignore = three.durability.flush(at(0ms));
  CHECK(receivers(three.outbox) == std::vector{node_id(2), node_id(3)});
  CHECK(three.durability.is_urgent());
}

TEST_CASE("a new leader gets at once what it was to get later") {
  Voters three(3);
  std::ignore = three.durability.leader_is(node_id(2));
  three.durability.accepted(event(1));
  std::ignore = three.durability.flush(at(0ms));
  CHECK(receivers(three.outbox) == std::vector{node_id(2)});
  std::ignore = three.durability.leader_is(node_id(3));
  CHECK(receivers(three.outbox) == std::vector{node_id(3)});
}

TEST_CASE("a voter that owes an answer for too long is not counted on until it answers") {
  Voters three(3);
  std::ignore = three.durability.leader_is(node_id(1));
  const auto next_receivers = [&](chain::Instant now) {
    three.durability.accepted(event(1));
    std::ignore = three.durability.flush(now);
    return receivers(three.outbox);
  };
  CHECK(next_receivers(at(0ms)) == std::vector{node_id(2)});
  CHECK(next_receivers(at(9ms)) == std::vector{node_id(2)});
  // The first two batches follow to the other voter before the third goes to it at once.
  CHECK(next_receivers(at(10ms)) == std::vector{node_id(3), node_id(3), node_id(3)});
  std::ignore = three.durability.held(node_id(2), all_held(1, 1), at(0ms));
  CHECK(next_receivers(at(11ms)).back() == node_id(2));
}

TEST_CASE("a node outside the quorum need not hurry, and its own copy counts after its turn") {
  // The leader is the third voter, the quorum it and the first; this is the second.
  Voters three(3, 2);
  std::ignore = three.durability.leader_is(node_id(3));
  three.durability.accepted(event(1));
  std::ignore = three.durability.flush(at(0ms));
  CHECK_FALSE(three.durability.is_urgent());
  CHECK(three.durability.is_patient());
  const auto batch = sent(three.outbox).at(0).batch;
  SUBCASE("both of the quorum answer: nothing of this node is needed") {
    CHECK(three.durability.held(node_id(3), all_held(batch, 1), at(0ms)).durable.empty());
    CHECK(three.durability.held(node_id(1), all_held(batch, 1), at(0ms)).durable.size() == 1);
    CHECK(three.durability.turn_begins().durable.empty());
  }
  SUBCASE("only the leader answers: the turn is over and its copy is the second") {
    CHECK(three.durability.held(node_id(3), all_held(batch, 1), at(0ms)).durable.empty());
    CHECK(three.durability.next_deadline() <= at(0ms));
    CHECK(three.durability.turn_begins().durable.size() == 1);
    CHECK(three.durability.open_batches() == 0);
  }
}

TEST_CASE("while its turn is open, the copy of a node outside the quorum does not count") {
  Voters three(3, 2);
  std::ignore = three.durability.leader_is(node_id(3));
  three.durability.accepted(event(1));
  std::ignore = three.durability.flush(at(0ms));
  const auto batch =
      std::get<net::Events>(std::get<Send>(three.outbox.take_ahead().at(0)).message).batch;
  CHECK(three.durability.turn_begins().durable.empty());
  CHECK(three.durability.held(node_id(3), all_held(batch, 1), at(0ms)).durable.empty());
  CHECK(three.durability.turn_begins().durable.empty());
  CHECK(three.durability.open_batches() == 1);
}

TEST_CASE("a member of the quorum hurries, and before its turn is over it says so") {
  Voters three(3);
  std::ignore = three.durability.leader_is(node_id(1));
  three.durability.accepted(event(1));
  std::ignore = three.durability.flush(at(0ms));
  CHECK(three.durability.is_urgent());
  SUBCASE("an answer within the turn rests on it") {
    const auto progress = three.durability.held(node_id(2), all_held(1, 1), at(0ms));
    CHECK(progress.durable.empty());
    CHECK(progress.durable_with_turn.size() == 1);
  }
  SUBCASE("an answer after it does not") {
    std::ignore = sent(three.outbox);
    CHECK_FALSE(three.durability.is_urgent());
    const auto progress = three.durability.held(node_id(2), all_held(1, 1), at(0ms));
    CHECK(progress.durable.size() == 1);
    CHECK(progress.durable_with_turn.empty());
  }
}
