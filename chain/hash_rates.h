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

// Hashes a second, and bounds that the true rate lies between in at least 95 of 100 cases.
struct RateEstimate {
  double per_second = 0;
  double low = 0;
  double high = 0;
  bool operator==(const RateEstimate&) const = default;
};

// What one share of a block stands for, and how long the block took by its own stamps.
struct MiningFacts {
  double hashes_each = 0;  // 0: a header without a target, as that of genesis
  double seconds = 0;
};
MiningFacts mining_facts(const SealedHeader& block);

// The shares that somebody found while blocks were mined.
struct ShareSum {
  std::uint64_t blocks = 0;
  std::uint64_t shares = 0;
  double hashes = 0;   // expected, of all shares
  double squares = 0;  // sum of the squares of each share's
  double hardest = 0;  // of the hardest share that could have been found meanwhile
  double seconds = 0;  // of mining

  void add(const MiningFacts& block, std::uint64_t found);
};

// Work counts, not blocks: what it says of is the mean over the time, also where targets and rates
// change. Shares come as a Poisson process, so n of them tell a rate to about 1/sqrt(n); the bounds
// are those of Fay and Feuer (Statistics in Medicine 16, 1997) for weighted Poisson counts, which
// also say something of one who found none. Nothing where no time has passed.
std::optional<RateEstimate> estimate_rate(const ShareSum& sum);

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

// The whole cluster's rate over the newest blocks. Memory: three numbers a block.
class RecentRate {
 public:
  explicit RecentRate(std::size_t blocks_max) : blocks_max_(blocks_max) {}
  void add(const SealedHeader& block);
  [[nodiscard]] std::optional<RateEstimate> estimate() const;

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
