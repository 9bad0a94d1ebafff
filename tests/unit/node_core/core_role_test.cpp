// What a node does when blocks change who votes, and what one does that is no member at all.

#include <doctest/doctest.h>

#include "net/codec.h"
#include "tests/unit/node_core/catch_up_fixture.h"
#include "tests/unit/node_core/light_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

namespace {

chain::MemberOrder role(std::size_t voter, chain::MemberRole to) {
  return {"", chain::SetRole{voter_id(voter), to}};
}

// All of one kind that the turn in hand sends, with their receivers.
template <class Kind>
std::vector<std::pair<std::vector<chain::NodeId>, Kind>> sent(const std::vector<Effect>& effects) {
  std::vector<std::pair<std::vector<chain::NodeId>, Kind>> found;
  for (const auto& effect : effects)
    if (const auto* send = std::get_if<Send>(&effect))
      if (const auto* message = std::get_if<Kind>(&send->message))
        found.emplace_back(send->to, *message);
  return found;
}

}  // namespace

TEST_CASE("a node that is no member follows the chain by certificates, where members change too") {
  Behind one(true, voter_id(5), 0);
  auto& ledger = one.history.ledger;
  for (std::uint8_t block = 1; block <= 4; ++block) {
    ledger.hold(event("a" + std::to_string(block), "x", 1), Origin::kClient);
    if (block == 2) {
      ledger.commit({role(2, chain::MemberRole::kObserver)});
    } else {
      ledger.commit();
    }
  }
  // Asked as soon as somebody shows a certificate.
  one.said(1, net::Signatures{chain::Height{4}, chain::block_id(one.history.sealed(4)),
                              certificate(one.history.sealed(4), {0, 1})});
  REQUIRE(one.requests.size() == 1);
  CHECK(one.requests[0].what == net::BlocksRequest{chain::Height{1}, 4});
  one.said(1, one.reply(1, 2, {1, 2}));
  CHECK(one.height() == 2);
  REQUIRE(one.requests.size() == 2);
  SUBCASE("signed by those who are voters now") {
    one.said(1, one.reply(3, 4, {0, 1}));
    CHECK(one.height() == 4);
    CHECK(one.voter.core->certified() == chain::Height{4});
    CHECK(one.hung_up.empty());
    // It has no key that counts.
    CHECK(one.voter.store.chain().signatures(chain::Height{4}).size() == 2);
  }
  SUBCASE("signed by one who is none any more") {
    one.said(1, one.reply(3, 4, {1, 2}));
    CHECK(one.height() == 2);
    CHECK(one.hung_up == std::vector{voter_id(1)});
  }
}

TEST_CASE("outside Raft a tip without a certificate is not asked for at once") {
  Behind one(true, voter_id(5));
  one.tip_said(1, 3);
  one.pass(CatchUp::kGrace - 1ms);
  CHECK(one.requests.empty());
  one.pass(1ms);
  REQUIRE(one.requests.size() == 1);
  // It had nothing to show yet; when it has, it is asked without delay.
  auto reply = one.reply(1, 3);
  reply.certificate.clear();
  one.said(1, reply);
  one.pass(10ms);
  CHECK(one.requests.size() == 1);
  one.said(1, net::Signatures{chain::Height{3}, chain::block_id(one.history.sealed(3)),
                              certificate(one.history.sealed(3), {1, 2})});
  REQUIRE(one.requests.size() == 2);
  one.said(1, one.reply(1, 3));
  CHECK(one.height() == 3);
}

TEST_CASE("outside Raft peers that have the same are asked in turn") {
  Behind one(true, voter_id(5));
  for (const std::size_t peer : {std::size_t{1}, std::size_t{2}})
    one.said(peer, net::Signatures{chain::Height{3}, chain::block_id(one.history.sealed(3)),
                                   certificate(one.history.sealed(3), {1, 2})});
  one.said(1, one.reply(1, 1));
  one.said(2, one.reply(2, 2));
  REQUIRE(one.requests.size() == 3);
  CHECK(one.requests[0].to == voter_id(1));
  CHECK(one.requests[1].to == voter_id(2));
  CHECK(one.requests[2].to == voter_id(1));
}

TEST_CASE(
    "what is open when a voter loses its vote goes to a voter, and back when it votes again") {
  Behind one(true, voter_id(0), 0);
  auto& ledger = one.history.ledger;
  ledger.commit({role(0, chain::MemberRole::kObserver)});
  ledger.commit({role(0, chain::MemberRole::kVoter)});
  const auto submitted = event("mine", "x", 1);
  one.voter.core->handle(
      one.voter.now,
      ClientSubmit{RequestId{1}, {submitted}, WaitFor::kDurable, one.voter.now.steady + 60s});
  auto effects = one.voter.end_turn();
  CHECK(sent<net::Events>(effects).size() == 1);
  CHECK(sent<net::EventsSubmit>(effects).empty());

  one.ask(1, 1);
  one.voter.said(1, one.reply(1, 1, {1, 2}));
  effects = one.voter.end_turn();
  REQUIRE(one.height() == 1);
  const auto forwarded = sent<net::EventsSubmit>(effects);
  REQUIRE(forwarded.size() == 1);
  REQUIRE(forwarded[0].first.size() == 1);
  CHECK(forwarded[0].second.events == std::vector{net::RawEvent{submitted.salt, submitted.body}});

  SUBCASE("the voter answers") {
    one.voter.core->handle(
        one.voter.now,
        PeerSaid{forwarded[0].first[0],
                 net::EventsSettled{forwarded[0].second.batch, {net::SettleResult::kDurable}}});
    int answers = 0;
    for (const auto& effect : one.voter.end_turn())
      if (const auto* answer = std::get_if<Answer>(&effect))
        answers += answer->outcomes[0].state == EventOutcome::State::kDurable ? 1 : 0;
    CHECK(answers == 1);
  }
  SUBCASE("it votes again before that") {
    one.ask(1, 2);
    one.voter.said(1, one.reply(2, 2, {1, 2}));
    effects = one.voter.end_turn();
    REQUIRE(one.height() == 2);
    const auto pushed = sent<net::Events>(effects);
    REQUIRE(pushed.size() == 1);
    CHECK(pushed[0].second.batch != 0);
    CHECK(pushed[0].second.events == std::vector{net::RawEvent{submitted.salt, submitted.body}});
    // An answer to what was forwarded before changes nothing.
    one.said(1, net::EventsSettled{forwarded[0].second.batch, {net::SettleResult::kDurable}});
    one.pass(10s);
    CHECK(one.height() == 2);
  }
}

TEST_CASE(
    "who became a voter before it heard anything of Raft says nothing of a term, nor an age") {
  Behind one(true, voter_id(kLightPlace), 0);
  admit_light(one.history, chain::MemberRole::kStandby);
  one.history.ledger.commit({role(kLightPlace, chain::MemberRole::kVoter)});
  const auto follow = [&](std::uint64_t height) {
    one.ask(1, height);
    one.said(1, one.reply(height, height, {1, 2}));
    REQUIRE(one.height() == height);
  };
  follow(1);
  follow(2);
  using std::chrono::milliseconds;
  one.said(1, net::TipSaid{chain::Height{2}, chain::block_id(one.history.sealed(2)),
                           consensus::Term{1}, voter_id(1), milliseconds(5)});
  REQUIRE(one.voter.core->as_of().has_value());
  follow(3);
  REQUIRE(one.voter.core->status().term.value == 0);
  one.voter.core->handle(one.voter.now, PeerUp{voter_id(7), voter_store(7)});
  const auto told = sent<net::TipSaid>(one.voter.end_turn());
  REQUIRE(told.size() == 1);
  CHECK(told[0].second.height == chain::Height{3});
  CHECK_FALSE(told[0].second.age.has_value());
  CHECK(net::decode(net::encode(told[0].second)).has_value());
}

TEST_CASE("a node without a vote takes nothing that others submit") {
  Behind one(true, voter_id(5));
  const auto submitted = event("theirs", "x", 1);
  one.voter.said(1, net::EventsSubmit{9, {{submitted.salt, submitted.body}}});
  const auto answers = sent<net::EventsSettled>(one.voter.end_turn());
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].second == net::EventsSettled{9, {net::SettleResult::kRefused}});
  CHECK(one.voter.core->pool().size() == 0);
}

TEST_CASE("a new voter that Raft has not reached says no age, for it has no term to say it in") {
  Behind one(true, voter_id(0), 0);
  auto& ledger = one.history.ledger;
  ledger.commit({role(0, chain::MemberRole::kObserver)});
  ledger.commit({role(0, chain::MemberRole::kVoter)});
  one.ask(1, 1);
  one.said(1, one.reply(1, 1, {1, 2}));
  REQUIRE(one.height() == 1);
  net::TipSaid word{chain::Height{1}, chain::block_id(one.history.sealed(1))};
  word.term = consensus::Term{3};
  word.leader = voter_id(1);
  word.age = 5ms;
  one.said(1, word);
  REQUIRE(one.voter.core->as_of().has_value());

  one.ask(1, 2);
  one.voter.said(1, one.reply(2, 2, {1, 2}));
  const auto tips = sent<net::TipSaid>(one.voter.end_turn());
  REQUIRE(one.height() == 2);
  CHECK_FALSE(tips.empty());
  for (const auto& [to, tip] : tips) {
    CHECK(tip.term == consensus::Term{0});
    CHECK_FALSE(tip.age.has_value());
  }
}
