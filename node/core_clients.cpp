// What the core does with what clients ask.

#include <utility>

#include "node/core_state.h"

namespace eventchain::node {

EventOutcome NodeCore::State::outcome_of(const chain::HeldEvent& event, const Holding& holding) {
  EventOutcome outcome;
  outcome.key = event.facts.key;
  outcome.position = holding.position;
  outcome.version = holding.version;
  outcome.height = holding.height;
  outcome.rejection = holding.rejection;
  switch (holding.state) {
    case Holding::State::kNew:
    case Holding::State::kPending: {
      outcome.state = holding.stage == chain::PendingStage::kDurable
                          ? EventOutcome::State::kDurable
                          : EventOutcome::State::kReceived;
      break;
    }
    case Holding::State::kPlaced:
      outcome.state = EventOutcome::State::kCompleted;
      outcome.is_final = holding.height && *holding.height <= certifier.certified();
      break;
    case Holding::State::kRejected:
      outcome.state = EventOutcome::State::kRejected;
      break;
    case Holding::State::kConflict:
      outcome.state = EventOutcome::State::kKeyConflict;
      outcome.position.reset();  // of the event that has the key, not of this one
      outcome.version.reset();
      outcome.height.reset();
      ++counters.key_conflicts;
      break;
    case Holding::State::kPast:
      outcome.state = EventOutcome::State::kVersionConflict;
      break;
  }
  return outcome;
}

void NodeCore::State::on(ClientSubmit input) {
  std::vector<Clients::Waiting> waiting;
  waiting.reserve(input.events.size());
  const bool is_open = takes_events();
  for (auto& event : input.events) {
    if (!is_open) {
      EventOutcome refused;
      refused.key = event.facts.key;
      refused.state = drain_newest       ? EventOutcome::State::kDraining
                      : disk_nearly_full ? EventOutcome::State::kDiskFull
                                         : EventOutcome::State::kPoolFull;
      waiting.push_back({refused, {}});
      continue;
    }
    const Holding holding = ledger.hold(event, Origin::kClient, now);
    waiting.push_back({outcome_of(event, holding), holding.commitment});
    if (waiting.back().outcome.state != EventOutcome::State::kReceived) continue;
    if (holding.state == Holding::State::kNew) {
      ++counters.events_received;
      accept(std::move(event));
    } else if (!clients.is_waiting(holding.commitment)) {
      // Accepted by another node, or before a restart: how far it has come is not known here, and
      // asking the voters again is how to find out.
      if (auto held = ledger.load({event.facts.key, holding.commitment})) accept(std::move(*held));
    }
  }
  clients.open(input.request, input.wait, input.deadline, std::move(waiting));
}

void NodeCore::State::on(const ClientAsksPending& input) {
  PendingAnswer answer{input.request, std::nullopt};
  if (const chain::PendingEvent* pending = ledger.find_pending(input.key)) {
    auto event = ledger.load({pending->facts.key, pending->facts.commitment});
    if (event)
      answer.pending = PendingLookup{std::move(*event), pending->stage};
    else
      outbox.notice(Notice::Level::kError, event.error().message);
  }
  outbox.add(std::move(answer));
}

void NodeCore::State::on(const ClientReads& input) {
  reads.ask(input.request, input.deadline);
}

}  // namespace eventchain::node
