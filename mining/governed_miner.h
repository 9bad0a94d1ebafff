#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "mining/governor.h"
#include "mining/handoff.h"
#include "mining/host_probe.h"
#include "mining/kernel_trial.h"
#include "mining/lending.h"
#include "mining/thread_miner.h"

namespace eventchain::mining {

struct GovernedMinerOptions {
  GovernorSettings governor;
  HostProbeOptions probe;
  SearchPosition start{};
  SearchFactory search = tile_searches(fastest_kernel());
  // On the sampling thread, when the reason to lend or not to lend changes; must be short.
  std::function<void(LendingReason, const std::string& why)> changed = [](LendingReason,
                                                                          const std::string&) {};
};

// A ThreadMiner that lends what the governor allows. A thread of ordinary priority samples the host
// while there is an order, and waits in the kernel while there is none. Owned by the node's shell.
//
// Threading and invariants: those of ThreadMiner, whose callback this is. Nothing is hashed before
// the governor has said so for the first time.
class GovernedMiner : public LendingMiner {
 public:
  GovernedMiner(GovernedMinerOptions options, ThreadMiner::OnShare on_share);
  ~GovernedMiner() override;
  GovernedMiner(const GovernedMiner&) = delete;
  GovernedMiner& operator=(const GovernedMiner&) = delete;

  // Miner
  void mine(const WorkOrder& order) override;
  void stop() override;
  [[nodiscard]] std::uint64_t hashes() const override { return miner_.hashes(); }

  // Lending
  [[nodiscard]] LendingReport report() const override;
  void pause(bool wants) override;
  void limit(unsigned percent) override;

 private:
  void run(const std::stop_token& stopping);
  // One sample and what follows from it.
  void step(const OperatorWish& wish);
  void measure_rate(chain::Instant at);
  void publish();

  // constant after construction
  const GovernedMinerOptions options_;

  // owned by the sampling thread
  HostProbe probe_;
  const HostShape host_;
  Governor governor_;
  std::optional<Allowance> applied_;
  std::optional<LendingReason> told_;
  chain::Instant rated_at_;
  std::uint64_t rated_hashes_ = 0;
  double hash_rate_ = 0;

  // guarded by mutex_
  mutable std::mutex mutex_;
  bool has_order_ = false;
  OperatorWish wish_;
  LendingReport report_;

  ThreadMiner miner_;  // thread-safe
  WakeUp wake_;
  std::jthread sampling_;
};

}  // namespace eventchain::mining
