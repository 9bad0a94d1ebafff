#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "mining/budget.h"
#include "mining/handoff.h"
#include "mining/kernel_trial.h"
#include "mining/search.h"
#include "mining/tile_search.h"
#include "mining/work.h"

namespace eventchain::mining {

struct ThreadMinerOptions {
  unsigned threads = 1;    // 1..256: the thread's number has 8 bits of the nonce
  SearchPosition start{};  // of every thread
  SearchFactory search = tile_searches(fastest_kernel());
};

// Mines with threads of this process: N miner threads at idle priority and one of ordinary priority
// that delivers what they find. Owned by the node's shell. The threads live from construction to
// destruction and wait without using the processor while there is no order or none is allowed to
// work.
//
// Threading: the public functions may be called from any thread but not from the callback.
// The callback runs on the delivery thread, under the mutex that mine() and stop() take: it must be
// short, must not throw and must not wait for a thread that is in mine() or stop().
//
// Invariants: once mine() or stop() has returned, no share of an earlier order is delivered. No
// (template, nonce) is delivered twice, whatever the orders are (see Search). No miner thread ever
// holds a lock (see handoff.h).
class ThreadMiner : public Miner {
 public:
  using OnShare = std::function<void(const ShareFound&)>;

  ThreadMiner(const ThreadMinerOptions& options, OnShare on_share);
  ~ThreadMiner() override;
  ThreadMiner(const ThreadMiner&) = delete;
  ThreadMiner& operator=(const ThreadMiner&) = delete;

  // Nothing happens if `order` is the one being mined.
  void mine(const WorkOrder& order) override;
  void stop() override;
  [[nodiscard]] std::uint64_t hashes() const override;

  // How many of the threads may work, how much together, and with which naps; all, unlimited and
  // without until it is told.
  // Reaches every thread after a quantum of work. Independent of orders.
  void allow(const Allowance& allowance);
  // What the miner threads have used since the start.
  [[nodiscard]] std::chrono::nanoseconds processor_time();

 private:
  struct Command {
    std::uint64_t epoch = 0;
    std::optional<WorkOrder> order;  // nullopt: stop
  };
  struct Found {
    std::uint64_t epoch = 0;
    chain::Nonce nonce;
  };
  struct Lane;

  // The calling thread's side.
  void command(std::optional<WorkOrder> order);
  // A miner thread's side: order, quantum, hand over, rest; and again.
  void run_lane(const std::stop_token& stopping, Lane& lane);
  void hand_over(const std::stop_token& stopping, Lane& lane, const Found& found);
  void rest(const std::stop_token& stopping, Lane& lane);
  // The delivery thread's side.
  void deliver_all(const std::stop_token& stopping);
  void deliver(const Found& found);

  // constant after construction
  const ThreadMinerOptions options_;
  const OnShare on_share_;

  // guarded by mutex_, which miner threads never take
  std::mutex mutex_;
  std::uint64_t epoch_ = 0;
  std::optional<WorkOrder> order_;

  // shared by all threads, without a lock
  ProcessorBudget budget_;
  std::atomic<std::chrono::nanoseconds> nap_after_{};
  std::atomic<std::chrono::nanoseconds> nap_length_{};
  std::atomic<unsigned> allowed_threads_;

  // each shared between one miner thread and the rest
  std::vector<std::unique_ptr<Lane>> lanes_;
  WakeUp delivery_wake_;

  std::vector<std::jthread> miners_;
  std::jthread delivery_;
};

}  // namespace eventchain::mining
