#pragma once

#include <optional>
#include <vector>

#include "consensus/types.h"

namespace eventchain::consensus {

// What Raft keeps on disk. Calls take part in the node's current turn: one turn is one durable
// transaction, and nothing the node says leaves before that transaction is on disk. So a write is
// visible to later reads at once, and durable before anyone else can know of it. An I/O error does
// not return: the node ends (a failed fsync is never retried).
class LogStore {
 public:
  struct Loaded {
    HardState hard_state;
    std::optional<Snapshot> snapshot;
    LogIndex first;              // index of entries.front(); 1 for a new store
    std::vector<Entry> entries;  // contiguous; payloads included
  };

  virtual ~LogStore() = default;
  virtual Loaded load() = 0;
  virtual void save_hard_state(const HardState& state) = 0;
  // Entries from `from` on are replaced: whatever was stored at or after `from` is gone.
  virtual void append(LogIndex from, const std::vector<Entry>& entries) = 0;
  // Entries [from, to]; pre: all are stored.
  virtual std::vector<Entry> entries(LogIndex from, LogIndex to) = 0;
  // Replaces the snapshot. keep_trailing == 0: the log is replaced as a whole (installed from the
  // leader); otherwise entries up to meta.index - keep_trailing are dropped.
  virtual void save_snapshot(const Snapshot& snapshot, std::uint64_t keep_trailing) = 0;
  virtual std::optional<Snapshot> snapshot() = 0;
};

}  // namespace eventchain::consensus
