#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "consensus/log_store.h"
#include "store/undo_log.h"

namespace eventchain::store {

// Raft's part of MemoryStore: see there for lifecycle and threading.
class MemoryLog : public consensus::LogStore {
 public:
  explicit MemoryLog(UndoLog& undo) : undo_(undo) {}

  Loaded load() override;
  void save_hard_state(const consensus::HardState& state) override;
  void append(consensus::LogIndex from, const std::vector<consensus::Entry>& entries) override;
  std::vector<consensus::Entry> entries(consensus::LogIndex from, consensus::LogIndex to) override;
  void save_snapshot(const consensus::Snapshot& snapshot, std::uint64_t keep_trailing) override;
  std::optional<consensus::Snapshot> snapshot() override { return snapshot_; }

 private:
  [[nodiscard]] std::uint64_t next() const { return first_ + entries_.size(); }
  void drop_from(std::uint64_t index);   // index and all after it
  void drop_until(std::uint64_t index);  // all before index

  UndoLog& undo_;
  consensus::HardState hard_state_;
  std::optional<consensus::Snapshot> snapshot_;
  std::uint64_t first_ = 1;
  std::deque<consensus::Entry> entries_;
};

}  // namespace eventchain::store
