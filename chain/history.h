#pragma once

#include <cstdint>
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

}  // namespace eventchain::chain
