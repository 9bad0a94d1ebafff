#include "node/clients.h"

#include <algorithm>
#include <utility>

#include "chain/planted.h"

namespace eventchain::node {

namespace {

using State = EventOutcome::State;

// Whether an event in this state leaves its client nothing to wait for.
bool is_settled(const EventOutcome& outcome, WaitFor wait) {
  switch (outcome.state) {
    case State::kReceived:
      return wait == WaitFor::kReceived;
    case State::kDurable:
      return wait == WaitFor::kReceived || wait == WaitFor::kDurable;
    case State::kCompleted:
      return wait != WaitFor::kFinal || outcome.is_final;
    case State::kRejected:
    case State::kKeyConflict:
    case State::kVersionConflict:
    case State::kPoolFull:
    case State::kDiskFull:
    case State::kDraining:
      return true;
  }
  return true;
}

bool speaks_of(const std::vector<Clients::Waiting>& events, std::uint64_t turn) {
  return std::ranges::any_of(events, [&](const auto& event) { return event.turn == turn; });
}

std::vector<EventOutcome> outcomes_of(std::vector<Clients::Waiting>& events) {
  std::vector<EventOutcome> outcomes;
  outcomes.reserve(events.size());
  for (auto& event : events) outcomes.push_back(std::move(event.outcome));
  return outcomes;
}

}  // namespace

void Clients::open(RequestId request, WaitFor wait, chain::Instant deadline,
                   std::vector<Waiting> events) {
  Request opened{wait, deadline, std::move(events), 0};
  for (auto& event : opened.events) {
    event.turn = outbox_.turn();
    if (!is_settled(event.outcome, wait)) ++opened.unsettled;
  }
  if (opened.unsettled == 0) {
    outbox_.add(Answer{request, outcomes_of(opened.events), true});
    return;
  }
  for (std::size_t i = 0; i < opened.events.size(); ++i) {
    const Waiting& event = opened.events[i];
    if (is_settled(event.outcome, wait)) continue;
    by_held_[event.held].push_back({request, i});
    if (event.outcome.state == State::kCompleted)
      uncertified_.emplace(*event.outcome.height, event.held);
  }
  deadlines_.emplace(deadline, request);
  requests_.emplace(request, std::move(opened));
}

// Applies `change` to every outcome that waits for `held` and answers the requests that it settles.
// `change` says whether it changed anything: then the outcome speaks of this turn, unless it sets
// another.
template <class Change>
void Clients::advance(const chain::Commitment& held, const Change& change) {
  const auto found = by_held_.find(held);
  if (found == by_held_.end()) return;
  std::vector<RequestId> finished;
  auto& places = found->second;
  const auto settled_now = [&](const Place& place) {
    Request& request = requests_.at(place.request);
    Waiting& waiting = request.events[place.index];
    const std::uint64_t turn = std::exchange(waiting.turn, outbox_.turn());
    if (!change(waiting)) waiting.turn = turn;
    if (!is_settled(waiting.outcome, request.wait)) return false;
    if (--request.unsettled == 0) finished.push_back(place.request);
    return true;
  };
  places.erase(std::remove_if(places.begin(), places.end(), settled_now), places.end());
  if (places.empty()) by_held_.erase(found);
  for (RequestId id : finished) answer(requests_.find(id), true);
}

void Clients::durable(const chain::Commitment& held, bool rests_on_turn) {
  advance(held, [&](Waiting& waiting) {
    if (waiting.outcome.state != State::kReceived) return false;
    waiting.outcome.state = State::kDurable;
    if (!rests_on_turn) waiting.turn = 0;
    return true;
  });
}

void Clients::completed(const chain::Commitment& held, chain::Position position,
                        chain::StreamVersion version, chain::Height height) {
  advance(held, [&](Waiting& waiting) {
    EventOutcome& outcome = waiting.outcome;
    outcome.state = State::kCompleted;
    outcome.position = position;
    outcome.version = version;
    outcome.height = height;
    return true;
  });
  if (is_waiting(held)) uncertified_.emplace(height, held);
}

void Clients::certified(chain::Height height) {
  while (!uncertified_.empty() && uncertified_.begin()->first <= height) {
    const chain::Commitment held = uncertified_.begin()->second;
    uncertified_.erase(uncertified_.begin());
    advance(held, [&](Waiting& waiting) {
      const auto& outcome = waiting.outcome;
      waiting.outcome.is_final = outcome.state == State::kCompleted && *outcome.height <= height;
      return waiting.outcome.is_final;
    });
  }
}

void Clients::rejected(const chain::Commitment& held, chain::RejectionReason reason,
                       chain::StreamVersion stream_version, chain::Height height) {
  advance(held, [&](Waiting& waiting) {
    EventOutcome& outcome = waiting.outcome;
    outcome.state = State::kRejected;
    outcome.rejection = reason;
    outcome.version = stream_version;
    outcome.height = height;
    return true;
  });
}

void Clients::key_conflict(const chain::Commitment& held) {
  advance(held, [](Waiting& waiting) {
    waiting.outcome.state = State::kKeyConflict;
    return true;
  });
}

void Clients::expire(const chain::Now& now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now.steady) {
    const auto request = requests_.find(deadlines_.begin()->second);
    forget_places(request->first, request->second);
    answer(request, false);
  }
}

std::optional<chain::Instant> Clients::next_deadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

void Clients::answer(std::map<RequestId, Request>::iterator request, bool reached) {
  auto& [id, asked] = *request;
  deadlines_.erase({asked.deadline, id});
  const bool rests_on_turn = speaks_of(asked.events, outbox_.turn());
  Answer answer{id, outcomes_of(asked.events), reached};
  if (rests_on_turn && !chain::is_planted(chain::Mistake::kAnswerBeforeSync)) {
    outbox_.add(std::move(answer));
  } else {
    outbox_.answer_ahead(std::move(answer));
  }
  requests_.erase(request);
}

void Clients::forget_places(RequestId id, const Request& request) {
  for (const auto& event : request.events) {
    const auto found = by_held_.find(event.held);
    if (found == by_held_.end()) continue;
    auto& places = found->second;
    places.erase(std::remove_if(places.begin(), places.end(),
                                [&](const Place& place) { return place.request == id; }),
                 places.end());
    if (places.empty()) by_held_.erase(found);
  }
}

}  // namespace eventchain::node
