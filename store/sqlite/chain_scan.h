#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "chain/genesis.h"
#include "chain/result.h"

namespace eventchain::store {

// Reads a node's database from end to end for offline verification: rows as they are stored,
// nothing believed and nothing skipped. Read-only; the node should be stopped, or the file a copy.
// One thread each; open several to read ranges at the same time. An error of kCorrupt from a scan
// means that SQLite itself could not read on; the rows before it were visited.
class ChainScan {
 public:
  virtual ~ChainScan() = default;

  struct Extent {
    std::uint64_t blocks = 0;        // one more than the greatest height
    std::uint64_t arrivals_end = 0;  // one more than the greatest arrival number
    std::uint64_t placed = 0;        // events that claim a position
  };
  virtual chain::Result<Extent> extent() = 0;

  // An event that a block placed (`has_position`) or rejected. Views live until the visitor
  // returns.
  struct EventRow {
    std::uint64_t arrival = 0;
    bool has_position = false;
    std::uint64_t position = 0;
    std::uint64_t height = 0;
    std::int64_t version = 0;
    chain::ByteView salt;
    chain::ByteView body;
  };
  // first <= arrival < end, ascending.
  virtual chain::Result<void> events(std::uint64_t first, std::uint64_t end,
                                     const std::function<void(const EventRow&)>& visit) = 0;

  struct BlockRow {
    std::uint64_t height = 0;
    std::uint64_t first_position = 0;
    chain::ByteView id;
    chain::ByteView sealed;
    chain::ByteView content;
  };
  // All blocks by height, ascending.
  virtual chain::Result<void> blocks(const std::function<void(const BlockRow&)>& visit) = 0;
};

// Errors: no such file, not ours, another schema version, another chain.
chain::Result<std::unique_ptr<ChainScan>> open_scan(const std::string& path,
                                                    const chain::Genesis& genesis);

}  // namespace eventchain::store
