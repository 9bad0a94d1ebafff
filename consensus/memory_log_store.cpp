#include "consensus/memory_log_store.h"

#include <algorithm>
#include <iterator>

#include "chain/result.h"

namespace eventchain::consensus {

void MemoryLogStore::begin() {
  EC_ASSERT(!is_open_, "a turn is open already");
  is_open_ = true;
}

void MemoryLogStore::commit() {
  EC_ASSERT(is_open_, "no turn is open");
  if (before_) ++writes_;
  before_.reset();
  is_open_ = false;
}

void MemoryLogStore::rollback() {
  EC_ASSERT(is_open_, "no turn is open");
  if (before_) state_ = std::move(*before_);
  before_.reset();
  is_open_ = false;
}

MemoryLogStore::State& MemoryLogStore::writable() {
  EC_ASSERT(is_open_, "a write outside of a turn would never become durable");
  if (!before_) before_ = state_;
  return state_;
}

LogStore::Loaded MemoryLogStore::load() {
  Loaded loaded;
  loaded.hard_state = state_.hard_state;
  if (state_.snapshot) loaded.snapshot = *state_.snapshot;
  loaded.first = state_.first;
  for (const auto& entry : state_.entries) loaded.entries.push_back(*entry);
  return loaded;
}

void MemoryLogStore::save_hard_state(const HardState& state) {
  writable().hard_state = state;
}

LogIndex MemoryLogStore::last_index() const {
  return LogIndex{state_.first.value + state_.entries.size() - 1};
}

void MemoryLogStore::append(LogIndex from, const std::vector<Entry>& entries) {
  State& state = writable();
  EC_ASSERT(from >= state.first && from <= last_index().next(), "an append must leave no gap");
  state.entries.resize(from.value - state.first.value);
  for (const auto& entry : entries) state.entries.push_back(std::make_shared<const Entry>(entry));
}

std::vector<Entry> MemoryLogStore::entries(LogIndex from, LogIndex to) {
  EC_ASSERT(from >= state_.first && to <= last_index() && from <= to,
            "entries that are not stored");
  std::vector<Entry> result;
  for (std::uint64_t i = from.value; i <= to.value; ++i)
    result.push_back(*state_.entries[i - state_.first.value]);
  return result;
}

void MemoryLogStore::save_snapshot(const Snapshot& snapshot, std::uint64_t keep_trailing) {
  State& state = writable();
  state.snapshot = std::make_shared<const Snapshot>(snapshot);
  const std::uint64_t index = snapshot.meta.index.value;
  if (keep_trailing == 0) {
    state.entries.clear();
    state.first = LogIndex{index + 1};
    return;
  }
  if (index < keep_trailing || index - keep_trailing < state.first.value) return;
  const std::uint64_t dropped = index - keep_trailing - state.first.value + 1;
  state.entries.erase(state.entries.begin(),
                      std::next(state.entries.begin(), static_cast<std::ptrdiff_t>(dropped)));
  state.first = LogIndex{index - keep_trailing + 1};
}

std::optional<Snapshot> MemoryLogStore::snapshot() {
  if (!state_.snapshot) return std::nullopt;
  return *state_.snapshot;
}

}  // namespace eventchain::consensus
