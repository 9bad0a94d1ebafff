#include <doctest/doctest.h>

#include <chrono>

#include "node/durability.h"
#include "tests/unit/node_core/events_sent.h"
#include "tests/unit/node_core/node_core_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace std::chrono_literals;
using namespace eventchain::node::testing;

namespace {

chain::Instant at(std::chrono::nanoseconds since_start) {
  return {since_start};
}

}  // namespace

TEST_CASE("a batch whose event was forgotten meanwhile goes out anew without it") {
  LoneLedger chain;
  Members members(members_of(easy_genesis(3)), voter_id(0));
  Outbox outbox;
  Durability durability(members, outbox, 1);
  const auto stays = event("a", "x", 1);
  const auto goes = event("b", "x", 2);
  for (const auto& one : {stays, goes}) {
    chain.hold(one, Origin::kClient);
    durability.accepted(one);
  }
  (void)durability.flush(at(0ms));
  chain.ledger.forget(goes.facts.key, goes.facts.commitment);
  members.link_up(voter_id(1));
  durability.peer_up(voter_id(1), chain.ledger);
  (void)durability.flush(at(0ms));
  const auto messages = sent(outbox);
  REQUIRE(messages.size() == 1);
  REQUIRE(messages[0].events.size() == 1);
  CHECK(messages[0].events[0].body == stays.body);
  (void)durability.leader_is(voter_id(1));
  const auto progress =
      durability.held(voter_id(1), {messages[0].batch, {net::HoldResult::kHeld}}, at(0ms));
  CHECK(progress.durable.size() == 1);
  CHECK(durability.open_batches() == 0);
}
