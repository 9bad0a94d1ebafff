#include "chain/pending_pool.h"

#include <algorithm>

#include "chain/result.h"

namespace eventchain::chain {

void PendingPool::add(const EventFacts& facts, std::uint64_t arrival, Instant now) {
  EC_ASSERT(by_arrival_.empty() || by_arrival_.rbegin()->first < arrival,
            "arrivals are numbered upwards");
  const bool is_new = by_commitment_.emplace(facts.commitment, arrival).second;
  EC_ASSERT(is_new, "an event is pending once");
  by_key_.emplace(facts.key, arrival);
  by_arrival_.emplace_hint(by_arrival_.end(), arrival, PendingEvent{facts, arrival, now});
  bytes_ += facts.body_bytes;
}

void PendingPool::mark_durable(const Commitment& commitment) {
  const auto found = by_commitment_.find(commitment);
  if (found != by_commitment_.end()) by_arrival_.at(found->second).stage = PendingStage::kDurable;
}

bool PendingPool::remove(const Commitment& commitment) {
  const auto found = by_commitment_.find(commitment);
  if (found == by_commitment_.end()) return false;
  const auto held = by_arrival_.find(found->second);
  auto [variant, end] = by_key_.equal_range(held->second.facts.key);
  while (variant != end && variant->second != held->first) ++variant;
  EC_ASSERT(variant != end, "every pending event is listed under its key");
  bytes_ -= held->second.facts.body_bytes;
  by_key_.erase(variant);
  by_arrival_.erase(held);
  by_commitment_.erase(found);
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
  return found == by_commitment_.end() ? nullptr : &by_arrival_.at(found->second);
}

std::vector<const PendingEvent*> PendingPool::variants(const EventKey& key) const {
  // The hash table's order differs between libraries, so it must not show.
  std::vector<const PendingEvent*> result;
  const auto [begin, end] = by_key_.equal_range(key);
  for (auto it = begin; it != end; ++it) result.push_back(&by_arrival_.at(it->second));
  std::sort(result.begin(), result.end(),
            [](const PendingEvent* a, const PendingEvent* b) { return a->arrival < b->arrival; });
  return result;
}

bool PendingPool::is_above(unsigned percent) const {
  // Divided, not multiplied: a limit may be as large as size_t allows.
  const auto is_over = [percent](std::size_t have, std::size_t limit) {
    return have > limit / 100 * percent + limit % 100 * percent / 100;
  };
  return is_over(size(), limits_.events_max) || is_over(bytes_, limits_.bytes_max);
}

}  // namespace eventchain::chain
