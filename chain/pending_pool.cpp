#include "chain/pending_pool.h"

#include <algorithm>

#include "chain/result.h"

namespace eventchain::chain {

PendingPool::Place PendingPool::find_place(const Commitment& commitment) const {
  return by_commitment_.find(FixedBytesHash()(commitment), [&](Place place) {
    return at(place).event.facts.commitment == commitment;
  });
}

template <class Visit>
void PendingPool::each_variant(const EventKey& key, const Visit& visit) const {
  by_key_.each(FixedBytesHash()(key), [&](Place place) {
    if (at(place).event.facts.key == key) visit(place);
  });
}

PendingPool::Place PendingPool::take_free_place() {
  if (free_ == kNowhere) {
    const std::size_t first = slabs_.size() * kSlabSize;
    EC_ASSERT(first + kSlabSize < kNowhere, "the pool counts in 32 bits");
    slabs_.push_back(std::make_unique<Slab>());
    free_ = static_cast<Place>(first);
    Slab& added = *slabs_.back();
    for (std::size_t i = 0; i + 1 < kSlabSize; ++i)
      added[i].after = static_cast<Place>(first + i + 1);
  }
  const Place place = free_;
  free_ = at(place).after;
  return place;
}

PendingEvent& PendingPool::add(const EventFacts& facts, std::uint64_t arrival, Instant now) {
  EC_ASSERT(last_ == kNowhere || at(last_).event.arrival < arrival,
            "arrivals are numbered upwards");
  EC_ASSERT(find_place(facts.commitment) == kNowhere, "an event is pending once");
  const Place place = take_free_place();
  Held& held = at(place);
  held = Held{PendingEvent{facts, arrival, now}, last_, kNowhere};
  (last_ == kNowhere ? first_ : at(last_).after) = place;
  last_ = place;
  by_commitment_.insert(FixedBytesHash()(facts.commitment), place);
  by_key_.insert(FixedBytesHash()(facts.key), place);
  bytes_ += facts.body_bytes;
  return held.event;
}

void PendingPool::mark_durable(const Commitment& commitment) {
  const Place place = find_place(commitment);
  if (place != kNowhere) at(place).event.stage = PendingStage::kDurable;
}

void PendingPool::mark_key_taken(const EventKey& key) {
  each_variant(key, [this](Place place) { at(place).event.is_key_taken = true; });
}

void PendingPool::restart_waits(Instant now) {
  for (Place place = first_; place != kNowhere; place = at(place).after)
    at(place).event.since = now;
}

bool PendingPool::remove(const Commitment& commitment) {
  const Place place = find_place(commitment);
  if (place == kNowhere) return false;
  Held& held = at(place);
  const EventFacts& facts = held.event.facts;
  bytes_ -= facts.body_bytes;
  by_key_.erase(FixedBytesHash()(facts.key), place);
  by_commitment_.erase(FixedBytesHash()(facts.commitment), place);
  (held.before == kNowhere ? first_ : at(held.before).after) = held.after;
  (held.after == kNowhere ? last_ : at(held.after).before) = held.before;
  held.after = free_;
  free_ = place;
  return true;
}

std::vector<PendingEvent> PendingPool::take(const EventKey& key) {
  std::vector<PendingEvent> taken;
  for (const PendingEvent* variant : variants(key)) taken.push_back(*variant);
  for (const PendingEvent& variant : taken) remove(variant.facts.commitment);
  return taken;
}

const PendingEvent* PendingPool::find(const Commitment& commitment) const {
  const Place place = find_place(commitment);
  return place == kNowhere ? nullptr : &at(place).event;
}

const PendingEvent* PendingPool::find(const ShortId& id) const {
  // The index goes by the same octets.
  const Place place = by_commitment_.find(FixedBytesHash()(id), [&](Place candidate) {
    return short_id(at(candidate).event.facts.commitment) == id;
  });
  return place == kNowhere ? nullptr : &at(place).event;
}

std::vector<const PendingEvent*> PendingPool::variants(const EventKey& key) const {
  // The order in the index depends on its past, so it must not show.
  std::vector<const PendingEvent*> result;
  each_variant(key, [&](Place place) { result.push_back(&at(place).event); });
  std::sort(result.begin(), result.end(),
            [](const PendingEvent* a, const PendingEvent* b) { return a->arrival < b->arrival; });
  return result;
}

const PendingEvent* PendingPool::any_variant(const EventKey& key) const {
  const Place place = by_key_.find(
      FixedBytesHash()(key), [&](Place variant) { return at(variant).event.facts.key == key; });
  return place == kNowhere ? nullptr : &at(place).event;
}

namespace {

// Divided, not multiplied: a limit may be as large as size_t allows.
std::size_t part_of(std::size_t limit, unsigned percent) {
  return limit / 100 * percent + limit % 100 * percent / 100;
}

}  // namespace

bool PendingPool::is_above(unsigned percent) const {
  return size() > part_of(limits_.events_max, percent) ||
         bytes_ > part_of(limits_.bytes_max, percent);
}

std::size_t PendingPool::room_below(unsigned percent) const {
  const std::size_t limit = part_of(limits_.events_max, percent);
  if (size() >= limit || bytes_ >= part_of(limits_.bytes_max, percent)) return 0;
  return limit - size();
}

}  // namespace eventchain::chain
