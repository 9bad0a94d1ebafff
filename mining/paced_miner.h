#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "mining/handoff.h"
#include "mining/work.h"

namespace eventchain::mining {

// The miner of a chain without work (`none`): one share of the own slot for each order, when the
// block interval has gone by since the first order of its height; later orders of that height get
// theirs at once after that, so that a new template does not begin the wait anew. Uses no processor
// time. Owned by the node's shell.
//
// Threading: the public functions may be called from any thread but not from the callback, which
// runs on the miner's own thread, under the mutex that mine() and stop() take: it must be short.
//
// Invariant: once mine() or stop() has returned, no share of an earlier order is delivered.
class PacedMiner : public Miner {
 public:
  using OnShare = std::function<void(const ShareFound&)>;

  PacedMiner(std::chrono::milliseconds interval, OnShare on_share);
  ~PacedMiner() override;
  PacedMiner(const PacedMiner&) = delete;
  PacedMiner& operator=(const PacedMiner&) = delete;

  void mine(const WorkOrder& order) override;
  void stop() override;
  [[nodiscard]] std::uint64_t hashes() const override { return 0; }

 private:
  void run(const std::stop_token& stopping);

  // constant after construction
  const std::chrono::milliseconds interval_;
  const OnShare on_share_;

  // guarded by mutex_
  std::mutex mutex_;
  std::optional<WorkOrder> order_;       // whose share is not delivered yet
  std::optional<chain::Height> height_;  // of the last order
  chain::Instant due_;                   // when its shares may be delivered

  WakeUp wake_;
  std::jthread thread_;
};

}  // namespace eventchain::mining
