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
#include "chain/work.h"
#include "consensus/replica.h"
#include "node/effects.h"
#include "node/inputs.h"
#include "node/machine.h"
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
  // Of the genesis' work function; outlives the core. Null: chain::plain_digest().
  const chain::ShareDigest* digest = nullptr;
  chain::Signing* signing = nullptr;  // of this member, outlives the core; null: certifies nothing
};

// A full node as one machine (machine.h).
class NodeCore : public Machine {
 public:
  // Recovers from the store. Call inside a turn. `store` outlives the core.
  NodeCore(const CoreOptions& options, store::Store& store);
  ~NodeCore() override;

  void start(const chain::Now& now) override;
  void handle(const chain::Now& now, Input input) override;
  Step step(const chain::Now& now) override;
  Effects take_effects() override;
  [[nodiscard]] chain::Instant next_wakeup() const override;
  [[nodiscard]] NodeStatus status() const override;
  [[nodiscard]] std::optional<chain::Instant> as_of() const override;
  [[nodiscard]] chain::Height certified() const override;

  // For the simulator's checkers.
  [[nodiscard]] const consensus::Replica& replica() const;
  [[nodiscard]] const chain::ChainState& chain_state() const;
  [[nodiscard]] const chain::PendingPool& pool() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace eventchain::node
