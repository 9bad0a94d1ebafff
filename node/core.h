#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "chain/assembler.h"
#include "chain/features.h"
#include "chain/genesis.h"
#include "chain/signing.h"
#include "chain/types.h"
#include "consensus/replica.h"
#include "node/effects.h"
#include "node/inputs.h"
#include "node/status.h"
#include "store/chain_store.h"

namespace eventchain::node {

struct CoreOptions {
  chain::NodeId self;
  chain::Genesis genesis;
  std::uint64_t seed = 0;  // of the election timer and of who is asked for what
  std::chrono::milliseconds election_timeout{1000};
  std::chrono::milliseconds heartbeat_interval{100};
  std::uint64_t snapshot_every = 4096;
  std::uint64_t snapshot_trailing = 2048;
  chain::PoolLimits pool;
  chain::AssemblerOptions assembler;
  bool mines = true;
  // What this program can do. Another than the own one is for tests of clusters of mixed versions.
  std::uint16_t feature_level = chain::kFeatureLevelMax;
  chain::Signing* signing = nullptr;  // of this member, outlives the core; null: certifies nothing
};

// The whole node as one deterministic machine: the same store content, inputs and times give the
// same effects. One caller at a time; never blocks but in the store.
//
// The runtime drives it in turns: store.begin(); handle() any number of inputs; take_effects();
// store.commit(); carry out the effects. Within a turn the core sees its own writes; nothing that
// rests on them is known to anyone before commit() returned.
//
// A turn may stay open for more inputs: step() says until when it may, and what may leave already.
class NodeCore {
 public:
  // Recovers from the store. Call inside a turn. `store` outlives the core.
  NodeCore(const CoreOptions& options, store::Store& store);
  ~NodeCore();

  void start(const chain::Now& now);  // inside a turn; before the first handle()
  void handle(const chain::Now& now, Input input);

  struct Step {
    std::vector<Effect> ahead;
    // When the turn is to be committed; not after `now` if anybody waits for it.
    chain::Instant commit_by;
  };
  // Follows up on the inputs handled so far. Call after the last one that is there.
  Step step(const chain::Now& now);
  Effects take_effects();                            // ends the turn; follows up by itself
  [[nodiscard]] chain::Instant next_wakeup() const;  // send Woke then, if nothing came before
  [[nodiscard]] NodeStatus status() const;
  // When this node last knew that it had applied all that was committed, up to the time a message
  // takes; nullopt if it never did.
  [[nodiscard]] std::optional<chain::Instant> as_of() const;

  // The highest block with signatures of a majority of voters.
  [[nodiscard]] chain::Height certified() const;

  // For the simulator's checkers.
  [[nodiscard]] const consensus::Replica& replica() const;
  [[nodiscard]] const chain::ChainState& chain_state() const;
  [[nodiscard]] const chain::PendingPool& pool() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace eventchain::node
