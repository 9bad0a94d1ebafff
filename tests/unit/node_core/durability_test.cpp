#include "node/durability.h"

#include <doctest/doctest.h>

#include <string>

using namespace eventchain;
using namespace eventchain::node;

namespace {

chain::NodeId node_id(std::uint8_t number) {
  chain::NodeId id;
  id.octets[15] = number;
  return id;
}

chain::Genesis genesis_of(std::uint8_t voters) {
  chain::Genesis genesis;
  for (std::uint8_t i = 0; i < voters; ++i) {
    chain::Member member;
    member.node = node_id(static_cast<std::uint8_t>(i + 1));
    member.slot = chain::Slot{i};
    member.name = "n" + std::to_string(i + 1);
    genesis.voters.push_back(member);
  }
  return genesis;
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

std::vector<net::Events> sent(Outbox& outbox) {
  std::vector<net::Events> result;
  auto effects = outbox.take();
  for (auto& send : effects.ahead)
    if (auto* events = std::get_if<net::Events>(&send.message)) result.push_back(*events);
  for (auto& effect : effects.when_durable) {
    if (auto* send = std::get_if<Send>(&effect))
      if (auto* events = std::get_if<net::Events>(&send->message)) result.push_back(*events);
  }
  return result;
}

struct Voters {
  explicit Voters(std::uint8_t count) : members(genesis_of(count), node_id(1)) {
    for (std::uint8_t i = 2; i <= count; ++i) members.link_up(node_id(i));
  }
  Members members;
  Outbox outbox;
  Durability durability{members, outbox};
};

}  // namespace

TEST_CASE("in a cluster of one an event is durable with the turn that took it") {
  Voters one(1);
  CHECK(one.durability.leader_is(node_id(1)).durable.empty());
  one.durability.accepted(event(1));
  CHECK(one.durability.flush().durable.size() == 1);
  CHECK(one.durability.open_batches() == 0);
}

TEST_CASE("of three voters, this node and the leader are a majority") {
  Voters three(3);
  std::ignore = three.durability.leader_is(node_id(2));
  three.durability.accepted(event(1));
  three.durability.accepted(event(2));
  CHECK(three.durability.flush().durable.empty());
  const auto batches = sent(three.outbox);
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].events.size() == 2);
  CHECK(three.durability.held(node_id(2), all_held(batches[0].batch, 2)).durable.size() == 2);
  CHECK(three.durability.open_batches() == 0);
}

TEST_CASE("a majority without the leader is not durable until the leader holds it or changes") {
  Voters three(3);
  std::ignore = three.durability.leader_is(node_id(2));
  three.durability.accepted(event(1));
  std::ignore = three.durability.flush();
  const auto batch = sent(three.outbox).at(0).batch;
  CHECK(three.durability.held(node_id(3), all_held(batch, 1)).durable.empty());
  CHECK(three.durability.open_batches() == 1);
  SUBCASE("the leader answers") {
    CHECK(three.durability.held(node_id(2), all_held(batch, 1)).durable.size() == 1);
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
  std::ignore = five.durability.flush();
  const auto batch = sent(five.outbox).at(0).batch;
  CHECK(five.durability.held(node_id(2), all_held(batch, 1)).durable.empty());
  CHECK(five.durability.held(node_id(2), all_held(batch, 1)).durable.empty());  // said twice
  CHECK(five.durability.held(node_id(3), all_held(batch, 1)).durable.size() == 1);
}

TEST_CASE("only the leader's word makes a key conflict") {
  Voters three(3);
  std::ignore = three.durability.leader_is(node_id(2));
  three.durability.accepted(event(1));
  std::ignore = three.durability.flush();
  const auto batch = sent(three.outbox).at(0).batch;
  const net::EventsHeld conflict{batch, {net::HoldResult::kConflict}};
  CHECK(three.durability.held(node_id(3), conflict).conflicts.empty());
  const auto progress = three.durability.held(node_id(2), conflict);
  REQUIRE(progress.conflicts.size() == 1);
  CHECK(progress.conflicts[0].key == event(1).facts.key);
  CHECK(three.durability.open_batches() == 0);
}

TEST_CASE("an answer for an unknown batch or of another length changes nothing") {
  Voters three(3);
  std::ignore = three.durability.leader_is(node_id(2));
  three.durability.accepted(event(1));
  std::ignore = three.durability.flush();
  const auto batch = sent(three.outbox).at(0).batch;
  CHECK(three.durability.held(node_id(2), all_held(batch + 1, 1)).durable.empty());
  CHECK(three.durability.held(node_id(2), all_held(batch, 2)).durable.empty());
  CHECK(three.durability.held(node_id(9), all_held(batch, 1)).durable.empty());
  CHECK(three.durability.open_batches() == 1);
}

TEST_CASE("large turns travel in several messages") {
  Voters three(3);
  std::ignore = three.durability.leader_is(node_id(2));
  for (std::uint8_t i = 0; i < 5; ++i) three.durability.accepted(event(i, 600'000));
  std::ignore = three.durability.flush();
  const auto batches = sent(three.outbox);
  CHECK(batches.size() == 5);  // two of them would exceed the bound of a message
}
