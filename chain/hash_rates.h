#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "chain/block.h"
#include "chain/members.h"

// Hash rates as committed seals show them: a share stands for the hashes that one takes to find on
// the average, and a slot's shares can come from nobody else. Information for people and metrics;
// no rule reads it.
namespace eventchain::chain {

// What one share of a block stands for, and how long the block took by its own stamps.
struct MiningFacts {
  double hashes_each = 0;  // 0: a header without a target, as that of genesis
  double seconds = 0;
};
MiningFacts mining_facts(const SealedHeader& block);

// The shares that somebody found while blocks were mined; what rate they tell, and how surely, is a
// matter of statistics (node/api/rate_estimate.h). Work counts, not blocks, so that it is the mean
// over the time also where targets and rates change.
struct ShareSum {
  std::uint64_t blocks = 0;
  std::uint64_t shares = 0;
  double hashes = 0;   // expected, of all shares
  double squares = 0;  // sum of the squares of each share's
  double hardest = 0;  // of the hardest share that could have been found meanwhile
  double seconds = 0;  // of mining

  void add(const MiningFacts& block, std::uint64_t found);
  bool operator==(const ShareSum&) const = default;
};

// Who found what in a row of blocks. Members are told apart by their ids, since a slot may pass to
// another one.
class HashRates {
 public:
  struct Of {
    ShareSum sum;  // over the blocks in which it was a member
    std::optional<Height> last_height;
    UnixMillis last_sealed_at;  // of that block
  };

  // Ascending; `members` is the set that the header names.
  void add(const SealedHeader& block, const MemberSet& members);

  [[nodiscard]] const ShareSum& total() const { return total_; }
  [[nodiscard]] const std::map<NodeId, Of>& members() const { return members_; }

 private:
  ShareSum total_;
  std::map<NodeId, Of> members_;
};

// The whole cluster's shares over the newest blocks. Memory: three numbers a block.
class RecentShares {
 public:
  explicit RecentShares(std::size_t blocks_max) : blocks_max_(blocks_max) {}
  void add(const SealedHeader& block);
  // Summed anew each time: taking sums apart again would gather the errors of years.
  [[nodiscard]] ShareSum sum() const;

 private:
  const std::size_t blocks_max_;
  struct Block {
    MiningFacts facts;
    std::uint64_t shares = 0;
  };
  std::deque<Block> blocks_;
};

// Seconds until so many more shares of this target are found, on the average: work has no memory.
double expected_seconds(const U256& share_target, std::uint64_t shares, double hashes_per_second);

}  // namespace eventchain::chain
