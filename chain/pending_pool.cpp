#include "chain/pending_pool.h"

#include <algorithm>

#include "chain/result.h"

namespace eventchain::chain {

PendingEvent& PendingPool::add(const EventFacts& facts, std::uint64_t arrival, Instant now) {
  EC_ASSERT(by_arrival_.empty() || by_arrival_.back().arrival < arrival,
            "arrivals are numbered upwards");
  const Place place = by_arrival_.insert(by_arrival_.end(), PendingEvent{facts, arrival, now});
  const bool is_new = by_commitment_.insert(place).second;
  EC_ASSERT(is_new, "an event is pending once");
  by_key_.insert(place);
  bytes_ += facts.body_bytes;
  return *place;
}

void PendingPool::mark_durable(const Commitment& commitment) {
  const auto found = by_commitment_.find(commitment);
  if (found != by_commitment_.end()) (*found)->stage = PendingStage::kDurable;
}

void PendingPool::mark_key_taken(const EventKey& key) {
  const auto [begin, end] = by_key_.equal_range(key);
  for (auto it = begin; it != end; ++it) (*it)->is_key_taken = true;
}

void PendingPool::restart_waits(Instant now) {
  for (PendingEvent& pending : by_arrival_) pending.since = now;
}

bool PendingPool::remove(const Commitment& commitment) {
  const auto found = by_commitment_.find(commitment);
  if (found == by_commitment_.end()) return false;
  const Place place = *found;
  auto [variant, end] = by_key_.equal_range(place->facts.key);
  while (variant != end && *variant != place) ++variant;
  EC_ASSERT(variant != end, "every pending event is listed under its key");
  bytes_ -= place->facts.body_bytes;
  by_key_.erase(variant);
  by_commitment_.erase(found);
  by_arrival_.erase(place);
  return true;
}

std::vector<PendingEvent> PendingPool::take(const EventKey& key) {
  std::vector<PendingEvent> taken;
  for (const PendingEvent* variant : variants(key)) taken.push_back(*variant);
  for (const PendingEvent& variant : taken) remove(variant.facts.commitment);
  return taken;
}

const PendingEvent* PendingPool::find(const Commitment& commitment) const {
  const auto found = by_commitment_.find(commitment);
  return found == by_commitment_.end() ? nullptr : &**found;
}

std::vector<const PendingEvent*> PendingPool::variants(const EventKey& key) const {
  // The hash table's order differs between libraries, so it must not show.
  std::vector<const PendingEvent*> result;
  const auto [begin, end] = by_key_.equal_range(key);
  for (auto it = begin; it != end; ++it) result.push_back(&**it);
  std::sort(result.begin(), result.end(),
            [](const PendingEvent* a, const PendingEvent* b) { return a->arrival < b->arrival; });
  return result;
}

const PendingEvent* PendingPool::any_variant(const EventKey& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &**found;
}

bool PendingPool::is_above(unsigned percent) const {
  // Divided, not multiplied: a limit may be as large as size_t allows.
  const auto is_over = [percent](std::size_t have, std::size_t limit) {
    return have > limit / 100 * percent + limit % 100 * percent / 100;
  };
  return is_over(size(), limits_.events_max) || is_over(bytes_, limits_.bytes_max);
}

}  // namespace eventchain::chain
