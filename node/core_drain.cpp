// A node that is to be stopped takes in nothing new, gives leadership away and waits for what it
// has; everything else goes on as before.

#include "node/core_state.h"

namespace eventchain::node {

void NodeCore::State::on(const OperatorDrains& input) {
  if (!input.wants) {
    drain_newest.reset();
    return;
  }
  // Asked again, it goes on waiting for what it waited for.
  if (drain_newest) return;
  drain_newest = ledger.pool().newest_arrival();
  hand_over_at = now.steady;
  outbox.notice(Notice::Level::kInfo, "this node drains: it takes in no new events");
}

// Whoever leads because nobody else could hands over as soon as somebody can.
void NodeCore::State::drain() {
  if (!drain_newest || !is_leading() || members.voters().size() == 1) return;
  if (hand_over_at > now.steady) return;
  hand_over_at = now.steady + kHandOverEvery;
  steward.hand_over(now, "this node drains");
}

std::optional<chain::Instant> NodeCore::State::next_drain() const {
  if (!drain_newest || !is_leading() || members.voters().size() == 1) return std::nullopt;
  return hand_over_at;
}

std::optional<DrainStatus> NodeCore::State::drain_status() const {
  if (!drain_newest) return std::nullopt;
  DrainStatus status;
  for (const chain::PendingEvent& pending : ledger.pool().in_order()) {
    if (pending.arrival > *drain_newest) break;
    ++status.events;
  }
  status.requests = clients.open_requests();
  const bool is_alone = members.voters().size() == 1;
  status.is_done = status.events == 0 && status.requests == 0 && (is_alone || !has_leaders_role());
  return status;
}

}  // namespace eventchain::node
