#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "chain/certificate.h"
#include "chain/rules.h"
#include "consensus/log_store.h"
#include "consensus/types.h"
#include "store/peer_memory.h"

namespace eventchain::store {

// The disk failed (I/O error, full, fsync refused). Never caught but at the outermost edge, which
// ends the process: after a failed fsync nobody knows what is on disk, and recovery is the ordinary
// start (FAULTS F4).
class StoreFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// One variant of an event as found under its key.
struct EventRecord {
  std::uint64_t arrival = 0;
  chain::EventFacts facts;
  std::optional<chain::Position> position;         // placed
  std::optional<chain::StreamVersion> version;     // of its own; of the stream when rejected
  std::optional<chain::RejectionReason> rejected;  // or rejected
  std::optional<chain::Height> height;             // of the block that did either
};

// A committed block and everything that changes with it: one transaction.
struct BlockApplication {
  chain::Block block;
  chain::BlockId id;
  std::uint64_t first_position = 0;
  std::vector<chain::EventFacts> facts;        // of each entry
  std::vector<chain::StreamVersion> versions;  // of each entry
  std::vector<chain::EventFacts> rejected;     // of each rejection in the annex, in order
  std::vector<chain::TreeHash> tree_hashes;
  std::vector<chain::HistoryNode> history_nodes;
  std::vector<chain::Hash> log_peaks;             // after the block
  std::vector<chain::HistoryNode> history_peaks;  // after the block
  chain::MembersRef members;                      // after the block; null: as before
  consensus::LogIndex applied;                    // Raft log index that decided it
};

// A sealed block that lost its height.
struct StaleBlock {
  chain::SealedHeader sealed;
  std::string reason;
};

// The writer's side of the store, used by the node's core alone. Every call belongs to the current
// turn (see Turns); reads see the turn's own writes. Throws StoreFailure on disk trouble.
class ChainStore : public chain::ChainView {
 public:
  // What a node finds when it starts.
  struct Recovered {
    chain::ChainState state;
    consensus::LogIndex applied;
    std::vector<std::pair<std::uint64_t, chain::EventFacts>> pending;  // by arrival, unplaced
    chain::Height certified;  // the highest block with signatures of a majority; 0: none yet
  };

  // Comes before every other call: what is pending is known from then on.
  virtual Recovered recover() = 0;

  // --- events -------------------------------------------------------------------------------
  // Stores body and salt once and for ever (until erased); returns the arrival number. Pre: this
  // commitment is not held.
  virtual std::uint64_t put_event(const chain::HeldEvent& event) = 0;
  // All variants held under a key, first arrival first; empty if none.
  virtual std::vector<EventRecord> find_event(const chain::EventKey& key) = 0;
  // True if the variant with this commitment is held, placed or not.
  virtual bool holds(const chain::EntryRef& entry) = 0;
  // Body and salt of a held variant, hashed again; kCorrupt if the bytes are not what was stored.
  virtual chain::Result<chain::HeldEvent> load_event(const chain::EntryRef& entry) = 0;
  // Forgets an unplaced variant whose key was placed in another variant.
  virtual void drop_variant(const chain::EntryRef& entry) = 0;

  // --- blocks -------------------------------------------------------------------------------
  // Keeps a template that may be decided on; idempotent. Dropped once its height is applied.
  virtual void put_template(const chain::Template& candidate) = 0;
  virtual std::optional<chain::Template> find_template(const chain::TemplateHash& hash) = 0;
  virtual void apply_block(const BlockApplication& application) = 0;
  // Log entries that are no block (barriers, changes) move only the applied index.
  virtual void set_applied(consensus::LogIndex applied) = 0;
  // kNotFound above the tip; kCorrupt if the stored block does not hash to its id.
  virtual chain::Result<chain::Block> block(chain::Height height) = 0;
  virtual std::optional<chain::Height> height_of(const chain::BlockId& id) = 0;
  virtual void put_stale(const StaleBlock& stale) = 0;
  // Pre: the block is applied. Replaces one of the same slot, which a damaged disk may have left.
  virtual void put_signature(chain::Height height, const chain::SlotSignature& signature) = 0;
  // In force at `height`: what its header names.
  virtual chain::MembersRef members(chain::Height height) = 0;
  // The blocks that changed the members, ascending.
  virtual std::vector<chain::Height> member_changes() = 0;
  // By slot; not verified again.
  virtual chain::Certificate signatures(chain::Height height) = 0;
};

// One turn of the core = one transaction. begin() .. core .. commit(); commit() returns when the
// turn is on disk. A turn without writes costs nothing.
class Turns {
 public:
  virtual ~Turns() = default;
  virtual void begin() = 0;
  virtual void commit() = 0;
};

// Everything a node writes, in one durable place.
class Store {
 public:
  virtual ~Store() = default;
  virtual ChainStore& chain() = 0;
  virtual consensus::LogStore& raft() = 0;
  virtual PeerMemory& peers() = 0;
  virtual Turns& turns() = 0;
};

}  // namespace eventchain::store
