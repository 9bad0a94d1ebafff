#pragma once

#include <memory>
#include <vector>

#include "store/chain_reader.h"
#include "store/sqlite/block_cache.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/statement.h"

namespace eventchain::store {

// One read-only connection with its statements: the queries of ChainReader, each of which the
// caller wraps into begin() and end() to see one state. One thread at a time.
//
// An event is handed out only if its body hashes to the leaf that the log tree has at its position:
// the tree is what receipts are made from.
class ReadConnection {
 public:
  ReadConnection(std::unique_ptr<SQLite::Database> database, const chain::Genesis& genesis,
                 BlockCache& blocks);

  void begin() { begin_.run(); }
  void end() { end_.run(); }

  TipInfo tip();
  chain::Result<EventLookup> event(const chain::EventKey& key);
  chain::Result<std::vector<PlacedEvent>> stream(const chain::StreamKey& stream,
                                                 chain::StreamVersion from, std::size_t limit);
  chain::StreamVersion stream_version(const chain::StreamKey& stream);
  chain::Result<std::vector<PlacedEvent>> log(chain::Position from, std::size_t limit);
  chain::Result<StoredBlock> block(chain::Height height);
  chain::Result<std::vector<chain::SealedHeader>> headers(chain::Height from, std::size_t limit);
  std::vector<StaleBlock> stale();
  chain::Result<chain::MembersRef> members(chain::Height height);
  chain::Certificate certificate(chain::Height height);
  chain::Result<chain::Hash> tree_hash(std::uint8_t level, std::uint64_t index);
  chain::Result<chain::HistoryNode> history_node(std::uint64_t number);
  std::vector<chain::Height> member_changes();
  std::optional<chain::Height> next_signed(chain::Height from);

 private:
  // Leaves of the log tree, a tile at a time: neighbours are asked for one after the other.
  class Leaves;

  chain::Result<chain::HeldEvent> checked_body(const Statement::Rows& rows, int salt, int body);
  chain::Result<chain::HeldEvent> settled_body(std::uint64_t arrival);
  chain::Result<PlacedEvent> placed_event(std::uint64_t arrival, Leaves& leaves);
  chain::Result<BlockCache::Shared> cached_block(chain::Height height);
  chain::Result<void> append_entries(const StoredBlock& stored, std::uint64_t from,
                                     std::size_t limit, std::size_t& bytes,
                                     std::vector<PlacedEvent>& events);
  chain::Result<std::vector<std::uint64_t>> stream_arrivals(const chain::StreamKey& stream,
                                                            std::uint64_t from, std::size_t limit);

  std::unique_ptr<SQLite::Database> database_;
  const chain::EventLimits limits_;
  BlockCache& blocks_;
  Statement begin_, end_;
  Statement select_tip_, select_variants_, select_body_, select_placed_, select_entry_;
  Statement select_last_chunk_, select_chunks_;
  Statement select_block_, select_height_at_, select_headers_, select_stale_, select_tile_;
  Statement select_signatures_, select_members_;
  Statement select_history_, select_changes_, select_signed_;
};

}  // namespace eventchain::store
