#include "node/orders.h"

#include <doctest/doctest.h>

#include <functional>

#include "tests/unit/node_core/node_core_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;
using net::OrderOutcome;

namespace {

chain::MemberOrder wish(std::uint32_t number) {
  return {"ann", chain::SetVoterPolicy{{3, number}}};
}

// The orders of one of three voters, or of a node without a vote; linked to all others.
struct Desk {
  explicit Desk(std::size_t self) : members(members_of(easy_genesis(3)), voter_id(self)) {
    for (std::size_t peer = 0; peer < 9; ++peer)
      if (peer != self) members.link_up(voter_id(peer));
  }

  template <class Kind>
  struct Sent {
    chain::NodeId to;
    Kind what;
  };
  // Ends the turn.
  void step(std::chrono::milliseconds at, std::optional<std::size_t> leader) {
    now = chain::Instant{at};
    orders.expire(now);
    orders.follow_up(now, leader ? std::optional(voter_id(*leader)) : std::nullopt, tip);
    asks.clear();
    tolds.clear();
    auto effects = outbox.take();
    for (const auto& effect : effects.when_durable) {
      if (const auto* answer = std::get_if<OrderAnswer>(&effect)) answers.push_back(*answer);
      const auto* send = std::get_if<Send>(&effect);
      if (send == nullptr) continue;
      if (const auto* ask = std::get_if<net::OrderAsk>(&send->message))
        asks.push_back({send->to.at(0), *ask});
      if (const auto* told = std::get_if<net::OrderTold>(&send->message))
        tolds.push_back({send->to.at(0), *told});
    }
  }
  void relay(std::size_t peer, std::uint64_t number) {
    orders.relay(voter_id(peer), {number, wish(static_cast<std::uint32_t>(number))}, now);
  }

  Members members;
  Outbox outbox;
  Orders orders{members, outbox, 100};
  chain::Instant now;
  chain::Height tip{4};
  std::vector<Sent<net::OrderAsk>> asks;
  std::vector<Sent<net::OrderTold>> tolds;
  std::vector<OrderAnswer> answers;
};

}  // namespace

TEST_CASE("orders of two nodes under one number are two orders at the voter that relays them") {
  Desk voter(0);
  voter.relay(5, 7);
  voter.relay(6, 7);
  voter.step(0ms, 1);
  REQUIRE(voter.asks.size() == 2);
  CHECK(voter.asks[0].to == voter_id(1));
  CHECK(voter.asks[0].what.number != voter.asks[1].what.number);
  const auto refused = voter.asks[1].what.number;
  voter.orders.said(voter_id(1), {refused, OrderOutcome::kRefused, "no", chain::Height{4}},
                    chain::Height{4});
  voter.step(10ms, 1);
  REQUIRE(voter.tolds.size() == 1);
  CHECK(voter.tolds[0].to == voter_id(6));
  CHECK(voter.tolds[0].what.number == 7);
  CHECK(voter.tolds[0].what.outcome == OrderOutcome::kRefused);
  // The asker may not have come as far as the leader.
  CHECK(voter.tolds[0].what.height == chain::Height{4});
}

TEST_CASE("a relayed order that is repeated is asked for once, and its answer told again") {
  Desk voter(0);
  voter.relay(5, 7);
  voter.step(0ms, 1);
  CHECK(voter.asks.size() == 1);
  voter.now = chain::Instant{100ms};
  voter.relay(5, 7);
  voter.step(100ms, 1);
  CHECK(voter.asks.empty());
  voter.orders.applied({wish(7)}, chain::Height{9});
  voter.step(200ms, 1);
  REQUIRE(voter.tolds.size() == 1);
  CHECK(voter.tolds[0].what == net::OrderTold{7, OrderOutcome::kDone, "", chain::Height{9}});
  // It crossed the answer on its way.
  voter.relay(5, 7);
  voter.step(300ms, 1);
  REQUIRE(voter.tolds.size() == 1);
  CHECK(voter.tolds[0].what.outcome == OrderOutcome::kDone);
  CHECK(voter.asks.empty());
}

TEST_CASE("a voter relays so many orders of one node, and so many in all, and no more") {
  Desk voter(0);
  for (std::uint64_t number = 1; number <= Orders::kRelayedOfOneMax + 1; ++number)
    voter.relay(5, number);
  voter.step(0ms, 1);
  CHECK(voter.asks.size() == Orders::kRelayedOfOneMax);
  REQUIRE(voter.tolds.size() == 1);
  CHECK(voter.tolds[0].what.number == Orders::kRelayedOfOneMax + 1);
  CHECK(voter.tolds[0].what.outcome == OrderOutcome::kNotNow);
  CHECK(voter.tolds[0].what.message.find("try again") != std::string::npos);
  CHECK_FALSE(voter.tolds[0].what.knows_nobody);
  for (std::size_t peer = 20; peer < 40; ++peer)
    for (std::uint64_t number = 1; number <= Orders::kRelayedOfOneMax; ++number)
      voter.relay(peer, number);
  CHECK(voter.orders.relayed() == Orders::kRelayedMax);
  SUBCASE("who does not repeat its order has it no more") {
    voter.step(2s, 1);
  }
  SUBCASE("nor who is gone") {
    for (std::size_t peer = 5; peer < 40; ++peer) voter.orders.peer_down(voter_id(peer));
  }
  CHECK(voter.orders.relayed() == 0);
}

TEST_CASE("a voter that knows no leader says so, and another one is asked") {
  Desk voter(0);
  voter.relay(5, 7);
  voter.step(0ms, {});
  REQUIRE(voter.tolds.size() == 1);
  CHECK(voter.tolds[0].what.knows_nobody);
  CHECK(voter.orders.relayed() == 0);

  Desk asker(5);
  asker.orders.ask({RequestId{1}, wish(7), chain::Instant{60s}});
  asker.step(0ms, {});
  REQUIRE(asker.asks.size() == 1);
  const auto first = asker.asks[0];
  asker.orders.said(first.to, {first.what.number, OrderOutcome::kNotNow, "", {}, true}, {});
  asker.step(500ms, {});
  REQUIRE(asker.asks.size() == 1);
  CHECK(asker.asks[0].to != first.to);
  CHECK(asker.members.is_voter(asker.asks[0].to));
  CHECK(asker.answers.empty());
}

TEST_CASE(
    "a node without a vote asks the leader if it is linked, else one voter until it is lost") {
  Desk asker(5);
  asker.orders.ask({RequestId{1}, wish(7), chain::Instant{60s}});
  asker.step(0ms, 2);
  CHECK(asker.asks.at(0).to == voter_id(2));
  asker.members.link_down(voter_id(2));
  asker.step(10ms, 2);
  const auto via = asker.asks.at(0).to;
  CHECK(via != voter_id(2));
  asker.step(510ms, 2);
  CHECK(asker.asks.at(0).to == via);
  asker.members.link_down(via);
  asker.step(520ms, 2);
  CHECK(asker.asks.at(0).to != via);
}

TEST_CASE("what a relaying voter calls done is done when this node has that block") {
  Desk asker(5);
  asker.orders.ask({RequestId{1}, wish(7), chain::Instant{60s}});
  asker.step(0ms, {});
  const auto ask = asker.asks.at(0);
  const auto done = [&](std::uint64_t height) {
    asker.orders.said(ask.to, {ask.what.number, OrderOutcome::kDone, "", chain::Height{height}},
                      chain::Height{3});
  };
  SUBCASE("it waits for it, and asks nobody meanwhile") {
    done(4);
    asker.step(10s, {});
    CHECK(asker.asks.empty());
    CHECK(asker.answers.empty());
    asker.orders.applied({wish(7)}, chain::Height{4});
    asker.step(11s, {});
    REQUIRE(asker.answers.size() == 1);
    CHECK(asker.answers[0].outcome == OrderOutcome::kDone);
    CHECK(asker.answers[0].height == chain::Height{4});
  }
  SUBCASE("a voter that lags may mean an equal wish of before") {
    done(2);
    asker.step(500ms, {});
    CHECK(asker.asks.size() == 1);
    CHECK(asker.answers.empty());
  }
}

TEST_CASE("of equal wishes one goes into a block, and both who gave them are answered") {
  Desk leader(0);
  leader.orders.take(voter_id(1), 7, wish(1), {}, leader.now);
  leader.orders.take(voter_id(2), 9, wish(1), {}, leader.now);
  leader.orders.take(voter_id(2), 10, wish(2), {}, leader.now);
  const auto all = [](const chain::MemberOrder&) { return true; };
  CHECK(leader.orders.for_block(all).size() == 2);
  // The first is refused: the other one is judged by itself.
  leader.orders.placed({chain::fail(chain::ErrorCode::kInvalid, "no"), {}}, {});
  CHECK(leader.orders.for_block(all).size() == 2);
  leader.orders.applied({wish(1), wish(2)}, chain::Height{1});
  CHECK_FALSE(leader.orders.has_taken());
}
