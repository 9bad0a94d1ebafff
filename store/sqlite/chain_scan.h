#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chain/bytes.h"
#include "chain/genesis.h"
#include "chain/result.h"

namespace eventchain::store {

// Reads a node's database from end to end for offline verification: rows as they are stored,
// nothing believed and nothing skipped. Read-only; of a running node too, beside which it reads in
// many short transactions, so that the node can go on and its write-ahead log does not grow for as
// long as a verification takes. What a block settled is never changed by a later one, but for
// events that a block rejected: another may reject them again, or place them. So the chain up to
// the tip that extent() told can be read while it grows, each call as of its own moment.
//
// One thread each; open several to read ranges at the same time. Views live until the visitor
// returns. An error of kCorrupt means that SQLite itself could not read on, or that rows were not
// in the order of their keys (row_order.h); the rows before it were visited. Every call ends,
// whatever the file is.
class ChainScan {
 public:
  virtual ~ChainScan() = default;

  // As of one moment.
  struct Extent {
    std::uint64_t blocks = 0;         // one more than the greatest height; 0: none
    std::uint64_t block_rows = 0;     // at whatever height
    std::uint64_t arrivals_end = 0;   // one more than the greatest arrival number
    std::uint64_t placed = 0;         // events that claim a position
    std::uint64_t settled = 0;        // that a block placed or rejected
    std::uint64_t tiles = 0;          // rows
    std::uint64_t history_nodes = 0;  // rows
    chain::Bytes log_peaks;           // packed (columns.h)
    chain::Bytes history_peaks;
    // Trees that could not be read to their ends, a sentence each; their rows are counted up to
    // there.
    std::vector<std::string> faults;
  };
  virtual chain::Result<Extent> extent() = 0;
  // One more than the greatest height by now: of a running node it may be more than before.
  virtual chain::Result<std::uint64_t> blocks_by_now() = 0;

  struct EventRow {
    enum class Place : std::uint8_t { kPending, kPlaced, kRejected };
    std::uint64_t arrival = 0;
    Place place = Place::kPending;
    std::uint64_t position = 0;  // when placed
    std::uint64_t height = 0;    // unless pending
    std::int64_t version = 0;    // unless pending
    std::optional<std::int64_t> reason;
    chain::ByteView mark;
    chain::ByteView salt;
    chain::ByteView body;
  };
  // first <= arrival < end, ascending.
  virtual chain::Result<void> events(std::uint64_t first, std::uint64_t end,
                                     const std::function<void(const EventRow&)>& visit) = 0;
  // The least arrival number from `from` on; nullopt: there is none.
  virtual chain::Result<std::optional<std::uint64_t>> next_arrival(std::uint64_t from) = 0;

  struct BlockRow {
    std::uint64_t height = 0;
    std::uint64_t first_position = 0;
    chain::ByteView id;
    chain::ByteView content_hash;
    chain::ByteView sealed;
    chain::ByteView content;
  };
  // All blocks below `end` by height, ascending, some at a time: a visitor may take its time.
  virtual chain::Result<void> blocks(std::uint64_t end,
                                     const std::function<void(const BlockRow&)>& visit) = 0;

  // The hashes of one tile; empty where there is none.
  virtual chain::Result<chain::Bytes> tile(unsigned level, std::uint64_t number) = 0;
  // first <= place < end, ascending.
  virtual chain::Result<void> history_nodes(
      std::uint64_t first, std::uint64_t end,
      const std::function<void(std::uint64_t place, chain::ByteView node)>& visit) = 0;

  struct MemberRow {
    std::uint64_t height = 0;  // of the block that made the set
    chain::ByteView hash;
    chain::ByteView encoded;
  };
  virtual chain::Result<void> member_sets(const std::function<void(const MemberRow&)>& visit) = 0;

  // A block's sealed header with each signature that is kept of it.
  struct SignatureRow {
    std::uint64_t height = 0;
    std::int64_t slot = 0;
    chain::ByteView signature;
    chain::ByteView sealed;  // empty: there is no such block
  };
  // first <= height < end, by height and slot.
  virtual chain::Result<void> signatures(std::uint64_t first, std::uint64_t end,
                                         const std::function<void(const SignatureRow&)>& visit) = 0;
  // How many signatures are at heights that no block can have, and at `end` or above.
  struct Beyond {
    std::uint64_t below_zero = 0;
    std::uint64_t above = 0;
  };
  virtual chain::Result<Beyond> signatures_beyond(std::uint64_t end) = 0;

  // Both indexes of keys, as of one moment.
  virtual chain::Result<void> keys(
      const std::function<void(std::int64_t prefix, std::uint64_t arrival)>& visit) = 0;
  struct ChunkRow {
    chain::ByteView stream;
    std::int64_t first_version = 0;
    chain::ByteView arrivals;  // packed (columns.h)
  };
  virtual chain::Result<void> stream_chunks(const std::function<void(const ChunkRow&)>& visit) = 0;
};

// Errors: no such file, not ours, another schema version, another chain, a write-ahead log that
// cannot be read from here.
chain::Result<std::unique_ptr<ChainScan>> open_scan(const std::string& path,
                                                    const chain::Genesis& genesis);

}  // namespace eventchain::store
