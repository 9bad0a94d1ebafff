#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "chain/result.h"
#include "chain/types.h"
#include "chain/u256.h"

namespace eventchain::chain {

// A node of the mountain range over all earlier blocks. It carries sums, so that a verifier can
// sample by work and prove times from O(log n) nodes (FlyClient, Buenz et al. 2020; ZIP 221).
struct HistoryNode {
  Hash hash;
  U256 work;
  std::uint64_t blocks = 0;
  UnixMillis first_time;  // `time` of the first block below
  UnixMillis last_time;   // `sealed_at` of the last block below
  bool operator==(const HistoryNode&) const = default;
};

HistoryNode history_leaf(const BlockId& block, const U256& work, UnixMillis time,
                         UnixMillis sealed_at);
HistoryNode history_parent(const HistoryNode& left, const HistoryNode& right);
Bytes encode_history_node(const HistoryNode& node);
Result<HistoryNode> decode_history_node(ByteView bytes);

// Merkle mountain range, append only; O(log n) memory. The root bags the peaks from the right.
class History {
 public:
  History() = default;
  static Result<History> restore(std::vector<HistoryNode> peaks);  // largest first

  // Appends a leaf; every node made (the leaf and the parents it completes, in that order) goes
  // to `made` if it is not null: these are what the store keeps, in this order, for proofs.
  void append(const HistoryNode& leaf, std::vector<HistoryNode>* made = nullptr);

  [[nodiscard]] std::uint64_t blocks() const;
  [[nodiscard]] U256 total_work() const;
  [[nodiscard]] Hash root() const;  // a fixed tagged hash when empty
  [[nodiscard]] const std::vector<HistoryNode>& peaks() const { return peaks_; }

 private:
  std::vector<HistoryNode> peaks_;
};

// What History::root() is, of the node over all blocks.
Hash history_root(const HistoryNode& top);

// Reads nodes by their number in the order in which History::append made them, from genesis on; an
// error is passed through.
using HistoryReader = std::function<Result<HistoryNode>(std::uint64_t number)>;
// That number, of the node over the 2^level blocks from height index * 2^level on.
std::uint64_t history_node_number(unsigned level, std::uint64_t index);

// The node over the `size` (> 0) blocks from `begin` on. Pre: in the tree's shape over some number
// of blocks there is such a node. O(log n) reads.
Result<HistoryNode> history_range(std::uint64_t begin, std::uint64_t size,
                                  const HistoryReader& read);

// What leads from the leaf of the block at `height` to the root over the first `blocks` blocks: the
// sibling on each level, from the leaf upwards, in the tree's shape of RFC 9162, section 2.1.3.
// O(log^2 n) reads.
Result<std::vector<HistoryNode>> history_path(Height height, std::uint64_t blocks,
                                              const HistoryReader& read);
// Where such a path leads; its root is still to be compared. nullopt for a path of another length.
struct HistoryClimb {
  HistoryNode top;
  U256 work_from_leaf;  // of the leaf's block and of all after it
};
std::optional<HistoryClimb> climb_history(Height height, std::uint64_t blocks,
                                          const HistoryNode& leaf,
                                          const std::vector<HistoryNode>& path);

}  // namespace eventchain::chain
