#include "store/memory_chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "chain/planted.h"
#include "store/integrity.h"

namespace eventchain::store {

using chain::ErrorCode;
using chain::Result;

MemoryChain::MemoryChain(const chain::Genesis& genesis, UndoLog& undo)
    : undo_(undo), genesis_(genesis) {
  const chain::ChainState state = chain::initial_state(genesis);
  blocks_.push_back(StoredBlock{state.tip, chain::Block{state.tip_header, {}}, 0});
  heights_.emplace(state.tip, chain::Height{0});
  history_peaks_ = state.history.peaks();
  history_nodes_ = history_peaks_;
  members_.emplace(chain::Height{0}, state.members);
}

ChainStore::Recovered MemoryChain::recover() {
  StoredTip tip{
      blocks_.back().id,        blocks_.back().block.sealed, log_peaks_, history_peaks_, {},
      members_.rbegin()->second};
  for (const std::uint64_t place : history_peak_places(blocks_.size() - 1))
    tip.history_peaks_before.push_back(history_nodes_.at(place));
  Result<chain::ChainState> state = restore_state(genesis_, tip);
  if (!state) throw StoreFailure(state.error().message);
  Recovered recovered{std::move(*state), applied_, {}, {}};
  for (const auto& [height, signatures] : signatures_)
    if (chain::is_certified(this->signatures(height), *members(height), *members(height.next())))
      recovered.certified = height;
  for (const std::uint64_t arrival : pending_)
    recovered.pending.emplace_back(arrival, events_.at(arrival).event.facts);
  return recovered;
}

std::uint64_t MemoryChain::put_event(const chain::HeldEvent& event) {
  EC_ASSERT(arrival_of({event.facts.key, event.facts.commitment}) == 0, "a variant is kept once");
  const std::uint64_t arrival = next_arrival_++;
  const chain::EventKey key = event.facts.key;
  events_.emplace(arrival, Held{event, {}, {}, {}, {}});
  pending_.insert(arrival);
  by_key_[key].push_back(arrival);
  undo_.add([this, arrival, key] {
    const auto variants = by_key_.find(key);
    variants->second.pop_back();
    if (variants->second.empty()) by_key_.erase(variants);
    pending_.erase(arrival);
    events_.erase(arrival);
    next_arrival_ = arrival;
  });
  return arrival;
}

std::vector<EventRecord> MemoryChain::find_event(const chain::EventKey& key) {
  std::vector<EventRecord> records;
  const auto variants = by_key_.find(key);
  if (variants == by_key_.end()) return records;
  for (const std::uint64_t arrival : variants->second) {
    const Held& held = events_.at(arrival);
    records.push_back(
        {arrival, held.event.facts, held.position, held.version, held.rejected, held.height});
  }
  return records;
}

bool MemoryChain::holds(const chain::EntryRef& entry) {
  return arrival_of(entry) != 0;
}

Result<chain::HeldEvent> MemoryChain::load_event(const chain::EntryRef& entry) {
  const std::uint64_t arrival = arrival_of(entry);
  if (arrival == 0)
    return chain::fail(ErrorCode::kNotFound,
                       fmt::format("event {} is not held in the variant {}; fetch it from a peer",
                                   to_hex(entry.key), to_hex(entry.commitment)));
  const chain::HeldEvent& event = events_.at(arrival).event;
  if (auto checked = check_commitment(event, entry.commitment); !checked)
    return tl::unexpected<chain::Error>(checked.error());
  return event;
}

void MemoryChain::turn_begins() {
  first_arrival_of_turn_ = next_arrival_;
  dropped_in_turn_.clear();
  blocks_before_turn_ = blocks_.size();
}

void MemoryChain::drop_variant(const chain::EntryRef& entry) {
  const std::uint64_t arrival = arrival_of(entry);
  if (arrival < first_arrival_of_turn_) dropped_in_turn_.insert(entry.commitment);
  EC_ASSERT(arrival != 0 && events_.at(arrival).is_pending(), "only what is pending is dropped");
  std::vector<std::uint64_t>& variants = by_key_.at(entry.key);
  const auto at = std::find(variants.begin(), variants.end(), arrival);
  const auto offset = at - variants.begin();
  variants.erase(at);
  pending_.erase(arrival);
  const auto held = std::make_shared<decltype(events_)::node_type>(events_.extract(arrival));
  undo_.add([this, key = entry.key, arrival, offset, held] {
    std::vector<std::uint64_t>& back = by_key_[key];
    back.insert(back.begin() + offset, arrival);
    pending_.insert(arrival);
    events_.insert(std::move(*held));
  });
}

void MemoryChain::put_template(const chain::Template& candidate) {
  const chain::TemplateHash hash = chain::template_hash(candidate.header);
  if (!templates_.emplace(hash, candidate).second) return;
  undo_.add([this, hash] { templates_.erase(hash); });
}

std::optional<chain::Template> MemoryChain::find_template(const chain::TemplateHash& hash) {
  const auto at = templates_.find(hash);
  if (at == templates_.end()) return std::nullopt;
  return at->second;
}

void MemoryChain::apply_block(const BlockApplication& application) {
  const chain::Height height = application.block.sealed.header.height;
  EC_ASSERT(height.value == blocks_.size(), "blocks are applied in order");
  EC_ASSERT(application.first_position == log_.size(), "positions have no gap");
  place_entries(application);
  note_rejections(application);
  append_tree(application);
  append(blocks_, StoredBlock{application.id, application.block, application.first_position});
  heights_.emplace(application.id, height);
  undo_.add([this, id = application.id] { heights_.erase(id); });
  for (const chain::HistoryNode& node : application.history_nodes) append(history_nodes_, node);
  assign(log_peaks_, application.log_peaks);
  assign(history_peaks_, application.history_peaks);
  if (application.members) {
    members_.emplace(height, application.members);
    undo_.add([this, height] { members_.erase(height); });
  }
  set_applied(application.applied);
  drop_templates(height);
}

void MemoryChain::place_entries(const BlockApplication& application) {
  const std::vector<chain::EntryRef>& entries = application.block.content.entries;
  EC_ASSERT(entries.size() == application.facts.size(), "one facts for each entry");
  EC_ASSERT(entries.size() == application.versions.size(), "one version for each entry");
  for (std::size_t i = 0; i < entries.size(); ++i) {
    Held& held = outcome(entries[i]);
    held.position = chain::Position{application.first_position + i};
    held.version = application.versions[i];
    held.height = application.block.sealed.header.height;
    held.rejected = std::nullopt;  // an earlier rejection does not outlive a position
    append(log_, arrival_of(entries[i]));
    append(streams_[application.facts[i].stream], log_.back());
  }
}

void MemoryChain::note_rejections(const BlockApplication& application) {
  for (const chain::AnnexItem& item : application.block.content.annex) {
    const auto* rejection = std::get_if<chain::Rejection>(&item);
    if (rejection == nullptr) continue;
    Held& held = outcome({rejection->key, rejection->commitment});
    if (held.position.has_value()) continue;
    held.rejected = rejection->reason;
    held.version = rejection->stream_version;
    held.height = application.block.sealed.header.height;
  }
}

void MemoryChain::append_tree(const BlockApplication& application) {
  for (const chain::TreeHash& hash : application.tree_hashes) {
    std::vector<chain::Hash>& level = tree_[hash.level];
    EC_ASSERT(hash.index == level.size(), "tree hashes come in order");
    append(level, hash.hash);
  }
}

void MemoryChain::set_applied(consensus::LogIndex applied) {
  if (chain::is_planted(chain::Mistake::kAppliedOutsideTransaction)) {
    applied_ = applied;
    return;
  }
  assign(applied_, applied);
}

Result<chain::Block> MemoryChain::block(chain::Height height) {
  if (height.value >= blocks_.size())
    return chain::fail(ErrorCode::kNotFound,
                       fmt::format("there is no block at height {} yet; the tip is at {}",
                                   height.value, blocks_.size() - 1));
  return blocks_[height.value].block;
}

std::optional<chain::Height> MemoryChain::height_of(const chain::BlockId& id) {
  const auto at = heights_.find(id);
  if (at == heights_.end()) return std::nullopt;
  return at->second;
}

void MemoryChain::put_stale(const StaleBlock& stale) {
  append(stale_, stale);
}

void MemoryChain::put_signature(chain::Height height, const chain::SlotSignature& signature) {
  chain::Certificate& kept = signatures_[height];
  undo_.add([&kept, before = kept] { kept = before; });
  std::erase_if(kept, [&](const auto& one) { return one.slot == signature.slot; });
  kept.insert(std::ranges::lower_bound(kept, signature.slot, {}, &chain::SlotSignature::slot),
              signature);
}

chain::Certificate MemoryChain::signatures(chain::Height height) {
  const auto kept = signatures_.find(height);
  return kept == signatures_.end() ? chain::Certificate{} : kept->second;
}

chain::MembersRef MemoryChain::members(chain::Height height) {
  const auto made = members_.lower_bound(height);
  return made == members_.begin() ? made->second : std::prev(made)->second;
}

std::vector<chain::Height> MemoryChain::member_changes() {
  std::vector<chain::Height> heights;
  for (const auto& [height, set] : members_)
    if (height.value > 0) heights.push_back(height);
  return heights;
}

bool MemoryChain::is_placed(const chain::EventKey& key) {
  const auto variants = by_key_.find(key);
  if (variants == by_key_.end()) return false;
  return std::any_of(variants->second.begin(), variants->second.end(),
                     [this](std::uint64_t arrival) { return events_.at(arrival).position; });
}

chain::StreamVersion MemoryChain::stream_version(const chain::StreamKey& stream) {
  const auto at = streams_.find(stream);
  if (at == streams_.end()) return chain::kEmptyStream;
  return {static_cast<std::int64_t>(at->second.size()) - 1};
}

std::uint64_t MemoryChain::arrival_of(const chain::EntryRef& entry) const {
  const auto variants = by_key_.find(entry.key);
  if (variants == by_key_.end()) return 0;
  for (const std::uint64_t arrival : variants->second)
    if (events_.at(arrival).event.facts.commitment == entry.commitment) return arrival;
  return 0;
}

MemoryChain::Held& MemoryChain::outcome(const chain::EntryRef& entry) {
  const std::uint64_t arrival = arrival_of(entry);
  EC_ASSERT(arrival != 0, "a block is applied only when its events are held");
  Held& held = events_.at(arrival);
  undo_.add([this, arrival, position = held.position, rejected = held.rejected,
             version = held.version, height = held.height] {
    Held& back = events_.at(arrival);
    back.position = position;
    back.rejected = rejected;
    back.version = version;
    back.height = height;
    if (back.is_pending()) pending_.insert(arrival);
  });
  pending_.erase(arrival);
  return held;
}

void MemoryChain::drop_templates(chain::Height until) {
  for (auto at = templates_.begin(); at != templates_.end();) {
    if (at->second.header.height > until) {
      ++at;
      continue;
    }
    undo_.add([this, gone = *at] { templates_.insert(gone); });
    at = templates_.erase(at);
  }
}

}  // namespace eventchain::store
