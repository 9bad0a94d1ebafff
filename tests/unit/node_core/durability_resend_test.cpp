#include <doctest/doctest.h>

#include "node/durability.h"
#include "tests/unit/node_core/node_core_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;

namespace {

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

}  // namespace

TEST_CASE("a batch whose event was forgotten meanwhile goes out anew without it") {
  LoneLedger chain;
  Members members(easy_genesis(3), voter_id(0));
  Outbox outbox;
  Durability durability(members, outbox);
  const auto stays = event("a", "x", 1);
  const auto goes = event("b", "x", 2);
  for (const auto& one : {stays, goes}) {
    chain.hold(one, Origin::kClient);
    durability.accepted(one);
  }
  (void)durability.flush();
  chain.ledger.forget(goes.facts.key, goes.facts.commitment);
  members.link_up(voter_id(1));
  durability.peer_up(voter_id(1), chain.ledger);
  (void)durability.flush();
  const auto messages = sent(outbox);
  REQUIRE(messages.size() == 1);
  REQUIRE(messages[0].events.size() == 1);
  CHECK(messages[0].events[0].body == stays.body);
  (void)durability.leader_is(voter_id(1));
  const auto progress = durability.held(voter_id(1), {messages[0].batch, {net::HoldResult::kHeld}});
  CHECK(progress.durable.size() == 1);
  CHECK(durability.open_batches() == 0);
}
