#include "node/durability.h"

#include <bit>
#include <utility>

#include "net/limits.h"

namespace eventchain::node {

namespace {

std::uint64_t bit_of(const chain::Member& member) {
  return std::uint64_t{1} << member.slot.value;
}

}  // namespace

void Durability::accepted(chain::HeldEvent event) {
  gathered_.push_back(std::move(event));
}

Durability::Progress Durability::flush() {
  Progress progress;
  std::vector<chain::HeldEvent> part;
  std::size_t bytes = 0;
  for (auto& event : std::exchange(gathered_, {})) {
    if (!part.empty() && (bytes + event.body.size() > net::limits::kEventsBytesMax ||
                          part.size() == net::limits::kEventsCountMax)) {
      open(std::exchange(part, {}), progress);
      bytes = 0;
    }
    bytes += event.body.size();
    part.push_back(std::move(event));
  }
  if (!part.empty()) open(std::move(part), progress);
  return progress;
}

void Durability::open(std::vector<chain::HeldEvent> events, Progress& progress) {
  const std::uint64_t id = next_batch_++;
  Batch batch;
  net::Events message;
  message.batch = id;
  message.events.reserve(events.size());
  for (auto& event : events) {
    batch.entries.push_back({event.facts.key, event.facts.commitment});
    message.events.push_back({event.salt, std::move(event.body)});
  }
  batch.holders.assign(batch.entries.size(), bit_of(members_.self()));
  batch.finished.assign(batch.entries.size(), false);
  batch.unfinished = batch.entries.size();
  evaluate(batch, progress);
  outbox_.send_ahead(members_.linked(), std::move(message));
  if (batch.unfinished > 0) batches_.emplace(id, std::move(batch));
}

Durability::Progress Durability::held(const chain::NodeId& by, const net::EventsHeld& answer) {
  Progress progress;
  const auto found = batches_.find(answer.batch);
  const chain::Member* member = members_.find(by);
  if (found == batches_.end() || member == nullptr) return progress;
  Batch& batch = found->second;
  if (answer.results.size() != batch.entries.size()) return progress;
  batch.answered |= bit_of(*member);
  for (std::size_t i = 0; i < answer.results.size(); ++i) {
    if (answer.results[i] == net::HoldResult::kHeld) {
      batch.holders[i] |= bit_of(*member);
    } else if (answer.results[i] == net::HoldResult::kConflict && leader_ == by &&
               !batch.finished[i]) {
      batch.finished[i] = true;
      --batch.unfinished;
      progress.conflicts.push_back(batch.entries[i]);
    }
  }
  evaluate(batch, progress);
  if (batch.unfinished == 0) batches_.erase(found);
  return progress;
}

void Durability::evaluate(Batch& batch, Progress& progress) const {
  if (!leader_) return;
  const chain::Member* leader = members_.find(*leader_);
  if (leader == nullptr) return;
  for (std::size_t i = 0; i < batch.entries.size(); ++i) {
    if (batch.finished[i]) continue;
    const SlotSet holders = batch.holders[i];
    if ((holders & bit_of(*leader)) == 0) continue;
    if (static_cast<std::size_t>(std::popcount(holders)) < members_.majority()) continue;
    batch.finished[i] = true;
    --batch.unfinished;
    progress.durable.push_back(batch.entries[i]);
  }
}

void Durability::peer_up(const chain::NodeId& peer, Ledger& ledger) {
  if (members_.find(peer) == nullptr) return;
  for (auto it = batches_.begin(); it != batches_.end();) {
    const auto& [id, batch] = *it;
    std::vector<chain::HeldEvent> held;
    bool is_whole = true;
    for (std::size_t i = 0; i < batch.entries.size(); ++i) {
      auto event = ledger.load(batch.entries[i]);
      if (event) {
        held.push_back(std::move(*event));
      } else {
        is_whole = false;  // another variant of it was placed or rejected meanwhile
      }
    }
    if (!is_whole) {
      for (auto& event : held) gathered_.push_back(std::move(event));
      it = batches_.erase(it);
      continue;
    }
    net::Events message;
    message.batch = id;
    for (auto& event : held) message.events.push_back({event.salt, std::move(event.body)});
    outbox_.send(peer, std::move(message));
    ++it;
  }
}

Durability::Progress Durability::leader_is(std::optional<chain::NodeId> leader) {
  Progress progress;
  leader_ = leader;
  for (auto it = batches_.begin(); it != batches_.end();) {
    evaluate(it->second, progress);
    it = it->second.unfinished == 0 ? batches_.erase(it) : std::next(it);
  }
  return progress;
}

}  // namespace eventchain::node
