#include "store/memory_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/integrity.h"
#include "store/read_limits.h"

namespace eventchain::store {

using chain::ErrorCode;
using chain::Result;

MemoryStore::MemoryStore(const chain::Genesis& genesis)
    : chain_(genesis, undo_), raft_(undo_), peers_(undo_), turns_(undo_, chain_) {}

MemoryStore::~MemoryStore() = default;

bool MemoryStore::holds_durably(const chain::EntryRef& entry) const {
  if (!undo_.is_open()) return chain_.arrival_of(entry) != 0;
  if (chain_.dropped_in_turn_.contains(entry.commitment)) return true;
  const std::uint64_t arrival = chain_.arrival_of(entry);
  return arrival != 0 && arrival < chain_.first_arrival_of_turn_;
}

chain::Height MemoryStore::durable_height() const {
  return chain::Height{(undo_.is_open() ? chain_.blocks_before_turn_ : chain_.blocks_.size()) - 1};
}

void MemoryStore::damage_body(const chain::EntryRef& entry) {
  const std::uint64_t arrival = chain_.arrival_of(entry);
  EC_ASSERT(arrival != 0, "only a held body can be damaged");
  chain_.events_.at(arrival).event.body.back() ^= 1;
}

TipInfo MemoryStore::tip() {
  assert_between_turns();
  const StoredBlock& top = chain_.blocks_.back();
  chain::U256 work;
  for (const chain::HistoryNode& peak : chain_.history_peaks_)
    work = chain::saturating_add(work, peak.work);
  const chain::TemplateHeader& header = top.block.sealed.header;
  return TipInfo{header.height, top.id, top.block.sealed, header.log_size, work};
}

Result<EventLookup> MemoryStore::event(const chain::EventKey& key) {
  assert_between_turns();
  EventLookup lookup;
  const auto variants = chain_.by_key_.find(key);
  if (variants == chain_.by_key_.end()) return lookup;
  const MemoryChain::Held* best = nullptr;
  for (const std::uint64_t arrival : variants->second) {
    const MemoryChain::Held& held = chain_.events_.at(arrival);
    if (held.is_pending()) continue;
    const auto state =
        held.position ? EventLookup::State::kCompleted : EventLookup::State::kRejected;
    if (best != nullptr && !is_better(state, lookup.state)) continue;
    best = &held;
    lookup.state = state;
  }
  if (best == nullptr) return lookup;
  if (auto checked = check_commitment(best->event, best->event.facts.commitment); !checked)
    return tl::unexpected<chain::Error>(checked.error());
  lookup.event = best->event;
  lookup.position = best->position;
  lookup.version = best->version;
  lookup.height = best->height;
  lookup.rejected = best->rejected;
  return lookup;
}

Result<std::vector<PlacedEvent>> MemoryStore::stream(const chain::StreamKey& stream,
                                                     chain::StreamVersion from, std::size_t limit) {
  assert_between_turns();
  const auto at = chain_.streams_.find(stream);
  if (at == chain_.streams_.end()) return std::vector<PlacedEvent>();
  return placed(at->second, static_cast<std::uint64_t>(std::max<std::int64_t>(from.value, 0)),
                limit);
}

chain::StreamVersion MemoryStore::stream_version(const chain::StreamKey& stream) {
  assert_between_turns();
  return chain_.stream_version(stream);
}

Result<std::vector<PlacedEvent>> MemoryStore::log(chain::Position from, std::size_t limit) {
  assert_between_turns();
  return placed(chain_.log_, from.value, limit);
}

Result<StoredBlock> MemoryStore::block(chain::Height height) {
  assert_between_turns();
  if (auto block = chain_.block(height); !block) return tl::unexpected<chain::Error>(block.error());
  return chain_.blocks_[height.value];
}

Result<std::vector<chain::SealedHeader>> MemoryStore::headers(chain::Height from,
                                                              std::size_t limit) {
  assert_between_turns();
  std::vector<chain::SealedHeader> headers;
  limit = std::min(limit, kReadItemsMax);
  for (std::uint64_t at = from.value; at < chain_.blocks_.size() && headers.size() < limit; ++at)
    headers.push_back(chain_.blocks_[at].block.sealed);
  return headers;
}

std::vector<StaleBlock> MemoryStore::stale() {
  assert_between_turns();
  return chain_.stale_;
}

Result<chain::MembersRef> MemoryStore::members(chain::Height height) {
  assert_between_turns();
  return chain_.members(height);
}

chain::Certificate MemoryStore::certificate(chain::Height height) {
  assert_between_turns();
  return chain_.signatures(height);
}

Result<chain::Hash> MemoryStore::tree_hash(std::uint8_t level, std::uint64_t index) {
  assert_between_turns();
  const auto at = chain_.tree_.find(level);
  if (at == chain_.tree_.end() || index >= at->second.size())
    return chain::fail(
        ErrorCode::kNotFound,
        fmt::format("the log tree has no stored hash at level {}, index {}", level, index));
  return at->second[index];
}

Result<chain::HistoryNode> MemoryStore::history_node(std::uint64_t number) {
  assert_between_turns();
  if (number < chain_.history_nodes_.size()) return chain_.history_nodes_[number];
  return chain::fail(ErrorCode::kNotFound,
                     fmt::format("the history has no node {}; ask below the tip", number));
}

std::vector<chain::Height> MemoryStore::member_changes() {
  assert_between_turns();
  return chain_.member_changes();
}

std::optional<chain::Height> MemoryStore::next_signed(chain::Height from) {
  assert_between_turns();
  const auto found = chain_.signatures_.lower_bound(from);
  if (found == chain_.signatures_.end()) return std::nullopt;
  return found->first;
}

void MemoryStore::assert_between_turns() const {
  EC_ASSERT(!undo_.is_open(), "a reader never sees a turn in progress");
}

Result<std::vector<PlacedEvent>> MemoryStore::placed(const std::vector<std::uint64_t>& arrivals,
                                                     std::uint64_t from, std::size_t limit) const {
  std::vector<PlacedEvent> events;
  limit = std::min(limit, kReadItemsMax);
  std::size_t bytes = 0;
  for (std::uint64_t at = from; at < arrivals.size() && events.size() < limit; ++at) {
    const MemoryChain::Held& held = chain_.events_.at(arrivals[at]);
    if (auto checked = check_commitment(held.event, held.event.facts.commitment); !checked)
      return tl::unexpected<chain::Error>(checked.error());
    events.push_back({held.event, *held.position, *held.version, *held.height});
    bytes += held.event.body.size();
    if (bytes >= kReadBytesMax) break;
  }
  return events;
}

}  // namespace eventchain::store
