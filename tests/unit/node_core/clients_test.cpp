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

std::vector<Answer> answers(Outbox& outbox) {
  std::vector<Answer> result;
  auto effects = outbox.take();
  for (auto& effect : effects.when_durable)
    if (auto* answer = std::get_if<Answer>(&effect)) result.push_back(std::move(*answer));
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
  clients.durable(held(1));
  CHECK(answers(outbox).empty());
  clients.durable(held(1));  // repeated news changes nothing
  CHECK(answers(outbox).empty());
  clients.durable(held(2));
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
  clients.durable(held(1));
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
  clients.durable(held(1));
  REQUIRE(answers(outbox).size() == 1);
  CHECK_FALSE(clients.is_waiting(held(1)));
}

TEST_CASE(
    "two clients that wait for one event for different things are answered each in its time") {
  Outbox outbox;
  Clients clients(outbox);
  clients.open(RequestId{1}, WaitFor::kDurable, chain::Instant{1s}, {received(1)});
  clients.open(RequestId{2}, WaitFor::kCompleted, chain::Instant{1s}, {received(1)});
  clients.durable(held(1));
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
  clients.durable(held(2));
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
