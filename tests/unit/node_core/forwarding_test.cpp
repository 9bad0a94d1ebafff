#include "node/forwarding.h"

#include <doctest/doctest.h>

#include <chrono>

#include "net/limits.h"
#include "tests/unit/node_core/node_core_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;
using net::SettleResult;

namespace {

// A node without a vote that is linked to some of three voters.
struct Asker {
  explicit Asker(std::size_t linked = 3, std::size_t self = 5)
      : members(members_of(easy_genesis(3)), voter_id(self)) {
    for (std::size_t voter = 0; voter < linked; ++voter) members.link_up(voter_id(voter));
  }

  void accept(const std::string& id) {
    const auto held = event(id, "x", 1);
    ledger.hold(held, Origin::kClient);
    forwarding.accepted({held.facts.key, held.facts.commitment});
  }
  struct Asked {
    chain::NodeId to;
    net::EventsSubmit what;
  };
  // Ends the turn.
  std::vector<Asked> step(std::chrono::milliseconds at, std::optional<chain::NodeId> leader = {}) {
    forwarding.follow_up(leader, chain::Instant{at});
    std::vector<Asked> asked;
    auto effects = outbox.take();
    for (const auto* list : {&effects.ahead, &effects.when_durable})
      for (const auto& effect : *list)
        if (const auto* send = std::get_if<Send>(&effect)) {
          if (const auto* submit = std::get_if<net::EventsSubmit>(&send->message))
            asked.push_back({send->to.at(0), *submit});
          if (const auto* answer = std::get_if<net::EventsSettled>(&send->message))
            answers.push_back(*answer);
        }
    return asked;
  }
  Durability::Progress answer(const Asked& asked, std::vector<SettleResult> results,
                              std::chrono::milliseconds at) {
    return forwarding.said(asked.to, {asked.what.batch, std::move(results)}, chain::Instant{at});
  }

  LoneLedger ledger{3};
  Members members;
  Outbox outbox;
  Forwarding forwarding{members, outbox, ledger.ledger, 7};
  std::vector<net::EventsSettled> answers;
};

Forwarding::Taken open(std::uint8_t number) {
  Forwarding::Taken taken;
  taken.held.octets[0] = number;
  return taken;
}

}  // namespace

TEST_CASE("the leader is asked if it is known and linked, and else one voter, always the same") {
  Asker asker;
  asker.accept("a");
  const auto first = asker.step(0ms);
  REQUIRE(first.size() == 1);
  asker.accept("b");
  CHECK(asker.step(1ms).at(0).to == first[0].to);
  const chain::NodeId other = first[0].to == voter_id(0) ? voter_id(1) : voter_id(0);
  asker.accept("c");
  CHECK(asker.step(2ms, other).at(0).to == other);
  asker.members.link_down(other);
  asker.accept("d");
  CHECK(asker.step(3ms, other).at(0).to != other);
}

TEST_CASE("several answers to one batch make each event durable once") {
  Asker asker;
  for (const char* id : {"a", "b", "c"}) asker.accept(id);
  const auto asked = asker.step(0ms);
  REQUIRE(asked.size() == 1);
  REQUIRE(asked[0].what.events.size() == 3);
  auto progress = asker.answer(
      asked[0], {SettleResult::kDurable, SettleResult::kOpen, SettleResult::kConflict}, 10ms);
  CHECK(progress.durable.size() == 1);
  CHECK(progress.conflicts.size() == 1);
  progress = asker.answer(
      asked[0], {SettleResult::kDurable, SettleResult::kDurable, SettleResult::kConflict}, 20ms);
  CHECK(progress.durable.size() == 1);
  CHECK(progress.conflicts.empty());
  CHECK(asker.forwarding.open_batches() == 0);
  CHECK_FALSE(asker.forwarding.next_deadline());
}

TEST_CASE("a batch that goes to another voter has what is open alone") {
  Asker asker;
  for (const char* id : {"a", "b"}) asker.accept(id);
  const auto first = asker.step(0ms);
  asker.answer(first.at(0), {SettleResult::kDurable, SettleResult::kOpen}, 500ms);
  CHECK(asker.step(2499ms).empty());
  const auto second = asker.step(2500ms);
  REQUIRE(second.size() == 1);
  CHECK(second[0].to != first[0].to);
  CHECK(second[0].what.events == std::vector{first[0].what.events[1]});
  // Late, and of more events than are open: not taken for an answer to what was sent now.
  CHECK(asker.answer(first[0], {SettleResult::kDurable, SettleResult::kDurable}, 2600ms)
            .durable.empty());
  CHECK(asker.answer(second[0], {SettleResult::kDurable}, 2600ms).durable.size() == 1);
}

TEST_CASE("answers of others than the asked, to unknown batches or of a wrong number do nothing") {
  Asker asker;
  asker.accept("a");
  auto asked = asker.step(0ms).at(0);
  const auto nothing = [&](const Asker::Asked& to, std::vector<SettleResult> results) {
    return asker.answer(to, std::move(results), 1ms).durable.empty();
  };
  CHECK(nothing({voter_id(6), asked.what}, {SettleResult::kDurable}));
  CHECK(nothing(asked, {}));
  CHECK(nothing(asked, {SettleResult::kDurable, SettleResult::kDurable}));
  ++asked.what.batch;
  CHECK(nothing(asked, {SettleResult::kDurable}));
  CHECK(asker.forwarding.open_batches() == 1);
}

TEST_CASE("a voter that fails is left alone for ever longer") {
  Asker asker(1);
  asker.accept("a");
  std::vector<std::chrono::milliseconds> at;
  for (auto time = 0ms; time < 60s; time += 100ms)
    if (!asker.step(time).empty()) at.push_back(time);
  // Two seconds of silence, then 2, 4, 8 and 16 of peace.
  CHECK(at == std::vector<std::chrono::milliseconds>{0s, 4s, 10s, 20s, 38s, 56s});
  CHECK(asker.forwarding.next_deadline() == chain::Instant{74s});
}

TEST_CASE("a few batches are out at a time, and what comes meanwhile goes together") {
  Asker asker;
  std::vector<Asker::Asked> asked;
  for (std::size_t i = 0; i < Forwarding::kSentMax + 10; ++i) {
    asker.accept(std::to_string(i));
    for (auto& one : asker.step(std::chrono::milliseconds(i))) asked.push_back(one);
  }
  CHECK(asked.size() == Forwarding::kSentMax);
  asker.answer(asked[0], {SettleResult::kDurable}, 50ms);
  const auto next = asker.step(50ms);
  REQUIRE(next.size() == 1);
  CHECK(next[0].what.events.size() == 10);
}

TEST_CASE("what got its place while it waited is not sent any more") {
  Asker asker(0);
  asker.accept("a");
  CHECK(asker.step(0ms).empty());
  CHECK_FALSE(asker.forwarding.next_deadline());  // a link will come as an input
  asker.ledger.commit();
  asker.members.link_up(voter_id(1));
  CHECK(asker.step(1ms).empty());
  asker.accept("b");
  CHECK(asker.step(2ms).at(0).what.events.size() == 1);
}

TEST_CASE("who votes from now on takes what is open, and asks nobody") {
  Asker asker;
  for (const char* id : {"a", "b"}) asker.accept(id);
  asker.answer(asker.step(0ms).at(0), {SettleResult::kDurable, SettleResult::kOpen}, 1ms);
  asker.members.link_down(voter_id(0));
  asker.accept("c");
  CHECK(asker.forwarding.take_open().size() == 2);
  CHECK(asker.step(10s).empty());
}

TEST_CASE("a voter answers what it knows at once, and the rest when it knows it") {
  Asker voter(3, 0);
  auto durable = open(2);
  durable.result = SettleResult::kDurable;
  voter.forwarding.take(voter_id(5), 9, {open(1), durable, open(3)});
  voter.step(0ms);
  REQUIRE(voter.answers.size() == 1);
  CHECK(voter.answers[0] ==
        net::EventsSettled{9, {SettleResult::kOpen, SettleResult::kDurable, SettleResult::kOpen}});
  voter.step(1ms);
  CHECK(voter.answers.size() == 1);
  voter.forwarding.settled(open(3).held, SettleResult::kConflict);
  voter.forwarding.settled(open(1).held, SettleResult::kDurable);
  CHECK_FALSE(voter.forwarding.is_awaited(open(1).held));
  voter.step(2ms);
  REQUIRE(voter.answers.size() == 2);
  CHECK(voter.answers[1] ==
        net::EventsSettled{
            9, {SettleResult::kDurable, SettleResult::kDurable, SettleResult::kConflict}});
  CHECK(voter.forwarding.taken_batches() == 0);
}

TEST_CASE(
    "a voter keeps so many batches of a peer and no more; one sent again takes no other room") {
  Asker voter(3, 0);
  net::EventsSubmit message;
  message.events.resize(1);
  for (message.batch = 1; voter.forwarding.has_room(voter_id(5), message); ++message.batch) {
    REQUIRE(message.batch < 1000);
    voter.forwarding.take(voter_id(5), message.batch, {open(1), open(1)});
    voter.forwarding.take(voter_id(5), message.batch, {open(1)});
  }
  CHECK(voter.forwarding.taken_batches() == Forwarding::kTakenMax);
  CHECK(voter.forwarding.has_room(voter_id(6), message));
  message.batch = 1;
  CHECK(voter.forwarding.has_room(voter_id(5), message));
  voter.forwarding.take(voter_id(6), 1, {open(1)});
  voter.forwarding.peer_down(voter_id(5));
  CHECK(voter.forwarding.taken_batches() == 1);
  CHECK(voter.forwarding.is_awaited(open(1).held));
  voter.forwarding.settled(open(1).held, SettleResult::kDurable);
  voter.step(0ms);
  CHECK(voter.forwarding.taken_batches() == 0);
}

TEST_CASE("all peers together have a bound too") {
  Asker voter(3, 0);
  net::EventsSubmit message;
  message.events.resize(net::limits::kEventsCountMax);
  const std::vector<Forwarding::Taken> events(net::limits::kEventsCountMax, open(1));
  std::size_t peer = 5;
  for (; voter.forwarding.has_room(voter_id(peer), message); ++peer) {
    REQUIRE(peer < 100);
    auto distinct = events;
    for (auto& one : distinct) one.held.octets[1] = static_cast<std::uint8_t>(peer);
    voter.forwarding.take(voter_id(peer), 1, distinct);
  }
  CHECK(peer - 5 == Forwarding::kTakenEventsMax / net::limits::kEventsCountMax);
  voter.forwarding.peer_down(voter_id(5));
  CHECK(voter.forwarding.has_room(voter_id(6), {2, message.events}));
}
