#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "store/chain_store.h"
#include "store/sqlite/pending_index.h"
#include "store/sqlite/recent_map.h"
#include "store/sqlite/turn.h"

namespace eventchain::store {

// Versions of streams.
using StreamVersions = RecentMap<chain::StreamKey, chain::StreamVersion>;

// Applies a committed block: all tables that change with it, in the turn's transaction. Rows are
// written in the order of their keys, because neighbours then share pages. Owned by SqliteChain.
class BlockWriter {
 public:
  BlockWriter(SqliteTurn& turn, StreamVersions& versions, PendingIndex& pending);

  void apply(const BlockApplication& application);

 private:
  struct Outcome {
    std::uint64_t arrival;
    std::uint64_t position;  // placed
    std::int64_t version;
    std::optional<chain::RejectionReason> rejected;
  };

  std::uint64_t take_arrival(const chain::EntryRef& entry);
  std::vector<Outcome> outcomes(const BlockApplication& application);
  void write_keys(chain::Height height);
  void write_placements(const BlockApplication& application, std::vector<Outcome> outcomes);
  void write_streams(const BlockApplication& application, const std::vector<Outcome>& outcomes);
  void write_tiles(const std::vector<chain::TreeHash>& hashes);
  void write_block(const BlockApplication& application);
  void move_pending_floor(std::size_t placed);

  StreamVersions& versions_;
  PendingIndex& pending_;
  Statement select_variant_, insert_key_, move_keys_, delete_keys_;
  Statement place_, reject_;
  Statement insert_chunk_;
  Statement select_tile_, replace_tile_;
  Statement insert_block_, insert_history_, update_peaks_, update_progress_, delete_templates_;

  Statement select_floor_, select_first_pending_, select_last_arrival_, update_floor_;
  Statement insert_members_;
  std::uint64_t next_history_place_ = 0;
  std::size_t placed_since_floor_ = 0;
  // Of the block in hand: prefix and arrival of the events that no block had named before.
  std::vector<std::pair<std::int64_t, std::uint64_t>> new_keys_;
};

}  // namespace eventchain::store
