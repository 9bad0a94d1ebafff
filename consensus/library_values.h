#pragma once

#include <vector>

#include "consensus/core.h"
#include "consensus/raft_c.h"

// Our values in the library's form and back. For core.cpp alone: whoever calls these must know who
// frees what.
namespace eventchain::consensus::library {

// From the library's heap, never empty: the library tells a batch from none by its address.
void* allocate(std::size_t size);
Bytes to_bytes(const raft_buffer& buffer);

// Entries in the library's form. All share one batch; the batch passes to the library with a
// successful step (RAFT_START excepted), the array stays ours.
struct EntryArray {
  std::vector<raft_entry> items;
  void* batch = nullptr;

  explicit EntryArray(const std::vector<Entry>& entries);
  [[nodiscard]] unsigned size() const { return static_cast<unsigned>(items.size()); }
};

// The results hold memory that the library takes over with the event they are put into.
raft_configuration to_library(const Configuration& configuration);
raft_snapshot_metadata to_library(const SnapshotMeta& meta);
// Likewise for a snapshot's configuration and bytes; entries are borrowed from `entries`.
void fill(raft_message& message, EntryArray& entries, const RaftMessage& from);

Configuration from_library(const raft_configuration& configuration);
RaftMessage from_library(const raft_message& message);

}  // namespace eventchain::consensus::library
