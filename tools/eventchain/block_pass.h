#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "chain/flat_map.h"
#include "chain/rules.h"
#include "store/sqlite/chain_scan.h"
#include "tools/eventchain/body_pass.h"
#include "tools/eventchain/stored_trees.h"
#include "tools/eventchain/verified_chain.h"
#include "tools/eventchain/verify.h"

namespace eventchain::tools {

// The second pass: recomputes the chain block by block from the recomputed bodies, with the same
// rules that the nodes apply, and compares both trees with what is stored of them. Goes on after a
// bad block as far as what follows can still be judged.
class BlockPass : private chain::ChainView {
 public:
  // All outlive the pass. `scan` is not the one whose blocks are visited.
  BlockPass(const VerifyOptions& options, const BodyPass& bodies, store::ChainScan& scan,
            Found& found);

  void visit(const store::ChainScan::BlockRow& row);
  // After the last block: what should have come. Fills the report's totals.
  void finish(const store::ChainScan::Extent& extent, VerifyReport& report);

  [[nodiscard]] const VerifiedChain& chain() const { return chain_; }
  // Positions of events whose bodies are not what their block says: nothing else told from them
  // counts.
  [[nodiscard]] const std::set<std::uint64_t>& suspects() const { return suspects_; }

 private:
  // What the last block that refused it said.
  struct Refusal {
    std::uint64_t height = 0;
    chain::Rejection rejection;
  };

  bool is_placed(const chain::EventKey& key) override { return keys_.contains(key); }
  chain::StreamVersion stream_version(const chain::StreamKey& stream) override;

  std::optional<chain::Block> decode(const store::ChainScan::BlockRow& row);
  void compare(const chain::Block& block, std::uint64_t first_position);
  chain::EventFacts compare_entry(const chain::EntryRef& entry, std::uint64_t position,
                                  chain::Height height);
  chain::EventFacts compare_rejection(const chain::Rejection& rejection, chain::Height height);
  void judge(const chain::Block& block);
  void compare_versions(const std::vector<chain::StreamVersion>& versions,
                        std::uint64_t first_position);
  void move_on(const chain::Block& block, chain::LogTree log,
               const std::vector<chain::TreeHash>& tree_hashes);
  void compare_refusals();
  void complain(chain::Height height, std::string text);
  void lose_track(std::uint64_t height, const std::string& why);

  const VerifyOptions& options_;
  const BodyPass& bodies_;
  Findings& findings_;
  Findings& unless_grown_;
  chain::ChainState state_;
  StoredTrees trees_;
  VerifiedChain chain_;
  chain::ContentFacts facts_;  // of the block that is visited; kept to keep its memory
  chain::FlatMap<chain::EventKey, chain::NoValue> keys_;
  chain::FlatMap<chain::StreamKey, chain::StreamVersion> streams_;
  std::set<chain::BlockId> known_blocks_;  // those not met yet
  std::vector<std::uint64_t> named_;       // heights of those that were met
  std::map<chain::Commitment, Refusal> refusals_;
  std::set<std::uint64_t> suspects_;
  std::uint64_t next_height_ = 0;
  std::uint64_t blocks_ = 0;
  std::uint64_t events_ = 0;
  // A block could not be followed: those above it are judged by themselves only.
  bool lost_track_ = false;
  // An event's stream is not known any more: versions from it on cannot be judged.
  bool versions_unknown_ = false;
};

}  // namespace eventchain::tools
