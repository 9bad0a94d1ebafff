#include "node/clients.h"

#include <doctest/doctest.h>

#include <chrono>

using namespace eventchain;
using namespace eventchain::node;
using namespace std::chrono_literals;

namespace {

chain::Commitment held(std::uint8_t number) {
  chain::Commitment result;
  result.octets[0] = number;
  return result;
}

Clients::Waiting received(std::uint8_t number) {
  EventOutcome outcome;
  outcome.key.octets[0] = number;
  return {outcome, held(number)};
}

chain::Now at(std::chrono::nanoseconds since_start) {
  return {chain::Instant{since_start}, {}};
}

std::vector<Answer> answers_in(const std::vector<Effect>& effects) {
  std::vector<Answer> result;
  for (const auto& effect : effects)
    if (const auto* answer = std::get_if<Answer>(&effect)) result.push_back(*answer);
  return result;
}

// Those of the turn; ends it.
std::vector<Answer> answers(Outbox& outbox) {
  const auto effects = outbox.take();
  auto result = answers_in(effects.ahead);
  for (auto& later : answers_in(effects.when_durable)) result.push_back(later);
  return result;
}

}  // namespace

TEST_CASE("a client that waits for received is answered at once") {
  Outbox outbox;
  Clients clients(outbox);
  clients.open(RequestId{1}, WaitFor::kReceived, chain::Instant{1s}, {received(1)});
  const auto told = answers(outbox);
  REQUIRE(told.size() == 1);
  CHECK(told[0].reached);
  CHECK(clients.open_requests() == 0);
}

TEST_CASE("a batch is answered once, when its last event is durable") {
  Outbox outbox;
  Clients clients(outbox);
  clients.open(RequestId{1}, WaitFor::kDurable, chain::Instant{1s}, {received(1), received(2)});
  clients.durable(held(1), true);
  CHECK(answers(outbox).empty());
  clients.durable(held(1), true);  // repeated news changes nothing
  CHECK(answers(outbox).empty());
  clients.durable(held(2), true);
  const auto told = answers(outbox);
  REQUIRE(told.size() == 1);
  CHECK(told[0].reached);
  CHECK(told[0].outcomes[0].state == EventOutcome::State::kDurable);
  CHECK(told[0].outcomes[1].state == EventOutcome::State::kDurable);
  clients.completed(held(1), chain::Position{7}, chain::StreamVersion{0}, chain::Height{1});
  CHECK(answers(outbox).empty());
}

TEST_CASE("a client that waits for completed hears position and version, not that it is durable") {
  Outbox outbox;
  Clients clients(outbox);
  clients.open(RequestId{1}, WaitFor::kCompleted, chain::Instant{1s}, {received(1)});
  clients.durable(held(1), true);
  CHECK(answers(outbox).empty());
  clients.completed(held(1), chain::Position{7}, chain::StreamVersion{3}, chain::Height{2});
  const auto told = answers(outbox);
  REQUIRE(told.size() == 1);
  CHECK(told[0].outcomes[0].position == chain::Position{7});
  CHECK(told[0].outcomes[0].version == chain::StreamVersion{3});
  CHECK(told[0].outcomes[0].height == chain::Height{2});
}

TEST_CASE("the same event in one batch twice is settled twice") {
  Outbox outbox;
  Clients clients(outbox);
  clients.open(RequestId{1}, WaitFor::kDurable, chain::Instant{1s}, {received(1), received(1)});
  clients.durable(held(1), true);
  REQUIRE(answers(outbox).size() == 1);
  CHECK_FALSE(clients.is_waiting(held(1)));
}

TEST_CASE(
    "two clients that wait for one event for different things are answered each in its time") {
  Outbox outbox;
  Clients clients(outbox);
  clients.open(RequestId{1}, WaitFor::kDurable, chain::Instant{1s}, {received(1)});
  clients.open(RequestId{2}, WaitFor::kCompleted, chain::Instant{1s}, {received(1)});
  clients.durable(held(1), true);
  auto told = answers(outbox);
  REQUIRE(told.size() == 1);
  CHECK(told[0].request == RequestId{1});
  clients.rejected(held(1), chain::RejectionReason::kVersionConflict, chain::StreamVersion{5},
                   chain::Height{3});
  told = answers(outbox);
  REQUIRE(told.size() == 1);
  CHECK(told[0].request == RequestId{2});
  CHECK(told[0].outcomes[0].state == EventOutcome::State::kRejected);
  CHECK(told[0].outcomes[0].version == chain::StreamVersion{5});
}

TEST_CASE("at the deadline a client is told how far its events have come, and nothing later") {
  Outbox outbox;
  Clients clients(outbox);
  clients.open(RequestId{1}, WaitFor::kCompleted, chain::Instant{1s}, {received(1), received(2)});
  clients.durable(held(2), true);
  CHECK(clients.next_deadline() == chain::Instant{1s});
  clients.expire(at(1s - 1ns));
  CHECK(answers(outbox).empty());
  clients.expire(at(1s));
  const auto told = answers(outbox);
  REQUIRE(told.size() == 1);
  CHECK_FALSE(told[0].reached);
  CHECK(told[0].outcomes[0].state == EventOutcome::State::kReceived);
  CHECK(told[0].outcomes[1].state == EventOutcome::State::kDurable);
  clients.completed(held(1), chain::Position{0}, chain::StreamVersion{0}, chain::Height{1});
  CHECK(answers(outbox).empty());
  CHECK_FALSE(clients.next_deadline());
}

TEST_CASE("a refused event does not keep its batch waiting") {
  Outbox outbox;
  Clients clients(outbox);
  Clients::Waiting refused = received(1);
  refused.outcome.state = EventOutcome::State::kVersionConflict;
  clients.open(RequestId{1}, WaitFor::kDurable, chain::Instant{1s}, {refused, received(2)});
  clients.key_conflict(held(2));
  const auto told = answers(outbox);
  REQUIRE(told.size() == 1);
  CHECK(told[0].outcomes[0].state == EventOutcome::State::kVersionConflict);
  CHECK(told[0].outcomes[1].state == EventOutcome::State::kKeyConflict);
}

TEST_CASE("an answer leaves ahead of the commit only if it speaks of no write of its turn") {
  Outbox outbox;
  Clients clients(outbox);
  clients.open(RequestId{1}, WaitFor::kDurable, chain::Instant{1s}, {received(1), received(2)});
  SUBCASE("durable on other nodes, in the turn that took it") {
    clients.durable(held(1), false);
    clients.durable(held(2), false);
    CHECK(answers_in(outbox.take_ahead()).size() == 1);
    CHECK(answers(outbox).empty());
  }
  SUBCASE("one of two events needs this turn") {
    clients.durable(held(1), true);
    clients.durable(held(2), false);
    CHECK(outbox.take_ahead().empty());
    CHECK(answers(outbox).size() == 1);
  }
  SUBCASE("a conflict with what this turn may have written") {
    clients.durable(held(1), false);
    clients.key_conflict(held(2));
    CHECK(outbox.take_ahead().empty());
    CHECK(answers(outbox).size() == 1);
  }
  SUBCASE("at the deadline, of events that this turn took in") {
    clients.durable(held(1), false);
    clients.expire(at(1s));
    CHECK(outbox.take_ahead().empty());
    CHECK(answers(outbox).size() == 1);
  }
  SUBCASE("at the deadline, of events that an earlier turn took in") {
    CHECK(answers(outbox).empty());
    clients.expire(at(1s));
    CHECK(answers_in(outbox.take_ahead()).size() == 1);
  }
}

TEST_CASE("what is known of an event when it comes waits for the turn") {
  Outbox outbox;
  Clients clients(outbox);
  auto known = received(1);
  known.outcome.state = EventOutcome::State::kCompleted;
  clients.open(RequestId{1}, WaitFor::kDurable, chain::Instant{1s}, {known, received(2)});
  clients.durable(held(2), false);
  CHECK(outbox.take_ahead().empty());
  CHECK(answers(outbox).size() == 1);
}

TEST_CASE("a client that waits for final is answered when its block has a certificate") {
  Outbox outbox;
  Clients clients(outbox);
  SUBCASE("completed while it waits") {
    clients.open(RequestId{1}, WaitFor::kFinal, chain::Instant{1s}, {received(1), received(2)});
    clients.completed(held(1), chain::Position{7}, chain::StreamVersion{0}, chain::Height{4});
    clients.completed(held(2), chain::Position{9}, chain::StreamVersion{1}, chain::Height{5});
    CHECK(answers(outbox).empty());
    clients.certified(chain::Height{4});
    CHECK(answers(outbox).empty());
    clients.certified(chain::Height{6});  // it covers what is below
    const auto told = answers(outbox);
    REQUIRE(told.size() == 1);
    CHECK(told[0].reached);
    for (const auto& outcome : told[0].outcomes) {
      CHECK(outcome.state == EventOutcome::State::kCompleted);
      CHECK(outcome.is_final);
    }
  }
  SUBCASE("completed before") {
    auto known = received(1);
    known.outcome.state = EventOutcome::State::kCompleted;
    known.outcome.height = chain::Height{4};
    clients.open(RequestId{1}, WaitFor::kFinal, chain::Instant{1s}, {known});
    CHECK(answers(outbox).empty());
    clients.certified(chain::Height{4});
    CHECK(answers(outbox).size() == 1);
  }
  SUBCASE("at its deadline it is told what is") {
    clients.open(RequestId{1}, WaitFor::kFinal, chain::Instant{1s}, {received(1)});
    clients.completed(held(1), chain::Position{7}, chain::StreamVersion{0}, chain::Height{4});
    clients.expire(at(1s));
    const auto told = answers(outbox);
    REQUIRE(told.size() == 1);
    CHECK_FALSE(told[0].reached);
    CHECK(told[0].outcomes[0].state == EventOutcome::State::kCompleted);
    CHECK_FALSE(told[0].outcomes[0].is_final);
    clients.certified(chain::Height{4});
    CHECK(answers(outbox).empty());
  }
  CHECK(clients.open_requests() == 0);
}

TEST_CASE("news of other disks do not hide that an outcome speaks of this turn") {
  Outbox outbox;
  Clients clients(outbox);
  clients.open(RequestId{1}, WaitFor::kFinal, chain::Instant{1s}, {received(1)});
  CHECK(answers(outbox).empty());  // a turn later
  clients.completed(held(1), chain::Position{7}, chain::StreamVersion{0}, chain::Height{4});
  clients.durable(held(1), false);
  clients.expire(at(1s));
  CHECK(outbox.take_ahead().empty());
  CHECK(answers(outbox).size() == 1);
}
