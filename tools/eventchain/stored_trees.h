#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "chain/history.h"
#include "chain/log_tree.h"
#include "store/sqlite/chain_scan.h"
#include "tools/eventchain/verify.h"

namespace eventchain::tools {

// Compares the hashes of the log's tree and the nodes of the history that a database keeps for
// proofs with those that were recomputed.
class StoredTrees {
 public:
  // Both outlive it.
  StoredTrees(store::ChainScan& scan, Found& found)
      : scan_(scan), findings_(found.surely), unless_grown_(found.unless_grown) {}

  // What the next block completes, in order.
  void add(const std::vector<chain::TreeHash>& hashes);
  void add(const std::vector<chain::HistoryNode>& nodes);
  // After the last.
  void finish(const store::ChainScan::Extent& extent);

 private:
  struct Tile {
    std::uint64_t number = 0;
    std::vector<chain::Hash> hashes;
  };
  void compare(unsigned level, const Tile& tile);
  void compare_nodes();

  store::ChainScan& scan_;
  Findings& findings_;
  Findings& unless_grown_;
  std::map<unsigned, Tile> tiles_;  // by level; those that are not full yet
  std::uint64_t tiles_begun_ = 0;
  std::vector<chain::HistoryNode> nodes_;  // not compared yet
  std::uint64_t nodes_compared_ = 0;
};

}  // namespace eventchain::tools
