#include "store/memory_log.h"

#include <algorithm>
#include <iterator>

namespace eventchain::store {

using consensus::Entry;
using consensus::LogIndex;

consensus::LogStore::Loaded MemoryLog::load() {
  return Loaded{hard_state_, snapshot_, LogIndex{first_},
                std::vector<Entry>(entries_.begin(), entries_.end())};
}

void MemoryLog::save_hard_state(const consensus::HardState& state) {
  undo_.add([this, before = hard_state_] { hard_state_ = before; });
  hard_state_ = state;
}

void MemoryLog::append(LogIndex from, const std::vector<Entry>& entries) {
  EC_ASSERT(from.value >= first_ && from.value <= next(), "entries are appended without a gap");
  drop_from(from.value);
  undo_.add([this, size = entries_.size()] { entries_.resize(size); });
  entries_.insert(entries_.end(), entries.begin(), entries.end());
}

std::vector<Entry> MemoryLog::entries(LogIndex from, LogIndex to) {
  EC_ASSERT(from.value >= first_ && to.value < next(), "only stored entries can be read");
  if (to < from) return {};
  const auto offset = [this](std::uint64_t index) {
    return static_cast<std::ptrdiff_t>(index - first_);
  };
  return {entries_.begin() + offset(from.value), entries_.begin() + offset(to.value) + 1};
}

void MemoryLog::save_snapshot(const consensus::Snapshot& snapshot, std::uint64_t keep_trailing) {
  EC_ASSERT(keep_trailing == 0 || snapshot.meta.index.value < next(),
            "a snapshot of one's own covers stored entries only");
  undo_.add([this, before = std::move(snapshot_)]() mutable { snapshot_ = std::move(before); });
  snapshot_ = snapshot;
  const std::uint64_t covered = snapshot.meta.index.value;
  if (keep_trailing == 0) {
    drop_from(first_);
    undo_.add([this, before = first_] { first_ = before; });
    first_ = covered + 1;
  } else if (covered > keep_trailing) {
    drop_until(covered - keep_trailing + 1);
  }
}

void MemoryLog::drop_from(std::uint64_t index) {
  if (index >= next()) return;
  const auto begin = entries_.begin() + static_cast<std::ptrdiff_t>(index - first_);
  undo_.add([this, gone = std::vector<Entry>(begin, entries_.end())] {
    entries_.insert(entries_.end(), gone.begin(), gone.end());
  });
  entries_.erase(begin, entries_.end());
}

void MemoryLog::drop_until(std::uint64_t index) {
  if (index <= first_) return;
  const std::uint64_t last = std::min(index, next());
  const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(last - first_);
  undo_.add([this, before = first_, gone = std::vector<Entry>(entries_.begin(), end)] {
    entries_.insert(entries_.begin(), gone.begin(), gone.end());
    first_ = before;
  });
  entries_.erase(entries_.begin(), end);
  first_ = last;
}

}  // namespace eventchain::store
