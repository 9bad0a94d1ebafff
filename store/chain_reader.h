#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "chain/block.h"
#include "chain/event.h"
#include "chain/log_tree.h"
#include "chain/result.h"
#include "chain/rules.h"
#include "store/chain_store.h"

namespace eventchain::store {

// A committed event as readers see it.
struct PlacedEvent {
  chain::HeldEvent event;
  chain::Position position;
  chain::StreamVersion version;
  chain::Height height;
};

// What a block said of a key. An event that is still pending is the core's to know of.
struct EventLookup {
  enum class State : std::uint8_t { kUnknown, kCompleted, kRejected } state = State::kUnknown;
  std::optional<chain::HeldEvent> event;  // absent when unknown
  std::optional<chain::Position> position;
  std::optional<chain::StreamVersion> version;  // completed: its own; rejected: where it stood
  std::optional<chain::Height> height;
  std::optional<chain::RejectionReason> rejected;
};

// Several variants of a key may be settled: a placed one speaks for the key, else a rejected one;
// among equals the first arrival.
inline bool is_better(EventLookup::State a, EventLookup::State b) {
  const auto rank = [](EventLookup::State state) {
    switch (state) {
      case EventLookup::State::kUnknown:
        return 0;
      case EventLookup::State::kRejected:
        return 1;
      case EventLookup::State::kCompleted:
        return 2;
    }
    return 0;
  };
  return rank(a) > rank(b);
}

struct TipInfo {
  chain::Height height;
  chain::BlockId id;
  chain::SealedHeader sealed;
  std::uint64_t log_size = 0;
  chain::U256 total_work;
};

struct StoredBlock {
  chain::BlockId id;
  chain::Block block;
  std::uint64_t first_position = 0;
};

// The readers' side: read-only, safe to call from several threads at once (each call sees one
// consistent committed state, never a turn in progress). Bodies, blocks and headers are hashed
// again before they are handed out; kCorrupt names what is damaged. Limits: read_limits.h; an
// answer may be shorter than `limit`, but is empty only at the end.
class ChainReader {
 public:
  virtual ~ChainReader() = default;
  virtual TipInfo tip() = 0;
  virtual chain::Result<EventLookup> event(const chain::EventKey& key) = 0;
  // Events of a stream from `from` on, ascending.
  virtual chain::Result<std::vector<PlacedEvent>> stream(const chain::StreamKey& stream,
                                                         chain::StreamVersion from,
                                                         std::size_t limit) = 0;
  virtual chain::StreamVersion stream_version(const chain::StreamKey& stream) = 0;
  // Events of the log from position `from` on, ascending.
  virtual chain::Result<std::vector<PlacedEvent>> log(chain::Position from, std::size_t limit) = 0;
  virtual chain::Result<StoredBlock> block(chain::Height height) = 0;
  virtual chain::Result<std::vector<chain::SealedHeader>> headers(chain::Height from,
                                                                  std::size_t limit) = 0;
  virtual std::vector<StaleBlock> stale() = 0;
  // In force at `height`: what its header names. Of the newest set for heights above the tip.
  virtual chain::Result<chain::MembersRef> members(chain::Height height) = 0;
  // Signatures on a block, by slot. Not verified: whoever hands them on does that.
  virtual chain::Certificate certificate(chain::Height height) = 0;
  virtual chain::Result<chain::Hash> tree_hash(std::uint8_t level, std::uint64_t index) = 0;
  // By its number (chain/history.h). Not recomputed: whoever hands on a proof made of them verifies
  // that.
  virtual chain::Result<chain::HistoryNode> history_node(std::uint64_t number) = 0;
  // The blocks that changed the members, ascending.
  virtual std::vector<chain::Height> member_changes() = 0;
  // The lowest block from `from` on that has a signature, of whomsoever; nullopt: none.
  virtual std::optional<chain::Height> next_signed(chain::Height from) = 0;
};

}  // namespace eventchain::store
