#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "chain/certificate.h"
#include "chain/genesis.h"
#include "chain/result.h"

namespace eventchain::store {

// Reads a light member's database from end to end for offline verification: rows as they are
// stored, nothing believed and nothing skipped. Read-only; of a running node too: all of it is as
// of the first read, and meanwhile the node's write-ahead log is not reset. One thread. An error of
// kCorrupt from a call means that SQLite itself could not read on; the rows before it were visited.
// Views live until the visitor returns.
class LightScan {
 public:
  virtual ~LightScan() = default;

  struct BlockRow {
    std::uint64_t height = 0;
    chain::ByteView id;
    chain::ByteView sealed;
    chain::ByteView annex;
  };
  virtual chain::Result<std::uint64_t> blocks_end() = 0;  // one more than the greatest height
  // All blocks by height, ascending.
  virtual chain::Result<void> blocks(const std::function<void(const BlockRow&)>& visit) = 0;

  struct MemberRow {
    std::uint64_t height = 0;  // of the block that made the set
    chain::ByteView hash;
    chain::ByteView encoded;
  };
  // All member sets by height, ascending.
  virtual chain::Result<void> member_sets(const std::function<void(const MemberRow&)>& visit) = 0;

  // The peaks of the history over all blocks below the tip, packed (columns.h).
  virtual chain::Result<chain::Bytes> history_below_tip() = 0;
  // Signatures on the tip, by slot.
  virtual chain::Result<chain::Certificate> signatures() = 0;
};

// Whether the file says that it is a light member's. False for what is no database at all.
bool is_light_database(const std::string& path);

// Errors: no such file, not a light member's, another schema version, another chain.
chain::Result<std::unique_ptr<LightScan>> open_light_scan(const std::string& path,
                                                          const chain::Genesis& genesis);

}  // namespace eventchain::store
