#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "chain/history.h"

// The history's tree with only some of its leaves left: each subtree that has none of them is cut
// off, and its node stands in its place. So many paths to one root share what they have in common,
// and whoever has the leaves needs no more than the nodes of the cuts, from left to right: where
// they belong follows from the shape of the tree (RFC 9162, section 2.1.3), so that there is one
// way to write it.
namespace eventchain::chain {

// The nodes in the places of what is cut off. Pre: `shown` is ascending and distinct, each below
// `blocks`. O(log^2 n) reads for each of `shown`.
Result<std::vector<HistoryNode>> cut_history(const std::vector<Height>& shown, std::uint64_t blocks,
                                             const HistoryReader& read);

// The blocks in which places lie. A place is the work that precedes it, and lies in the block whose
// work goes from there to beyond it; `places` ascends, each below the sum of all. Ascending and
// distinct. O(log^2 n) reads for each place.
Result<std::vector<Height>> heights_at(std::span<const U256> places, std::uint64_t blocks,
                                       const HistoryReader& read);

struct ShownLeaf {
  Height height;
  HistoryNode leaf;
};

// What the tree says of the place in which a leaf stands.
struct HistoryPlace {
  U256 work_before;  // of all blocks to the left
  Hash root_before;  // History::root() over these: what the block's header must name
  // Of the blocks beside it; nullopt: there is none.
  std::optional<UnixMillis> sealed_before;  // `sealed_at` of the one to the left
  std::optional<UnixMillis> time_after;     // `time` of the one to the right
};

struct FoldedHistory {
  HistoryNode top;                   // its root is still to be compared
  std::vector<HistoryPlace> places;  // of each leaf shown, in order
};

// The tree put together again, from anybody's leaves and nodes. nullopt if the heights are not
// ascending and below `blocks`, if there are more nodes or fewer than it takes, or if one is over
// another number of blocks than its place has. Time: O(log n) hashes for each leaf.
std::optional<FoldedHistory> fold_history(const std::vector<ShownLeaf>& shown, std::uint64_t blocks,
                                          const std::vector<HistoryNode>& nodes);

}  // namespace eventchain::chain
