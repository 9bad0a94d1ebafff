#pragma once

#include <cstdint>

#include "consensus/log_store.h"
#include "store/sqlite/turn.h"

namespace eventchain::store {

// Raft's part of SqliteStore: see there for lifecycle and threading. Which indexes are stored is
// known in memory, so that an append which replaces nothing deletes nothing.
class SqliteLog : public consensus::LogStore {
 public:
  explicit SqliteLog(SqliteTurn& turn);

  Loaded load() override;
  void save_hard_state(const consensus::HardState& state) override;
  void append(consensus::LogIndex from, const std::vector<consensus::Entry>& entries) override;
  std::vector<consensus::Entry> entries(consensus::LogIndex from, consensus::LogIndex to) override;
  void save_snapshot(const consensus::Snapshot& snapshot, std::uint64_t keep_trailing) override;
  std::optional<consensus::Snapshot> snapshot() override;

 private:
  void drop(std::uint64_t from, std::uint64_t to);

  SqliteTurn& turn_;
  Statement save_state_;
  Statement load_state_;
  Statement insert_entry_;
  Statement delete_entries_;
  Statement select_entries_;
  Statement save_snapshot_;
  Statement load_snapshot_;
  std::uint64_t first_ = 1;
  std::uint64_t next_ = 1;
};

}  // namespace eventchain::store
