#include "tools/eventchain/switch_bench.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "chain/difficulty.h"
#include "mining/kernel_trial.h"
#include "mining/thread_miner.h"

namespace eventchain::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kAtWork{2};

// Orders of templates that differ by their time, in turn one that nobody finds a share of and one
// of which every hash is a share.
mining::WorkOrder order_of(std::size_t number, bool is_easy) {
  mining::WorkOrder order;
  order.header.height = chain::Height{1};
  order.header.time = {static_cast<std::int64_t>(number)};
  order.template_hash = chain::template_hash(order.header);
  order.target = is_easy ? chain::U256::max() : chain::U256(0);
  return order;
}

class Stopwatch {
 public:
  void found(const mining::ShareFound& share) {
    const auto now = Clock::now();
    const std::lock_guard lock(mutex_);
    if (at_ || share.template_hash != awaited_) return;
    at_ = now;
    changed_.notify_one();
  }
  void await(const chain::TemplateHash& hash) {
    const std::lock_guard lock(mutex_);
    awaited_ = hash;
    at_.reset();
  }
  Clock::time_point wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return at_.has_value(); });
    return *at_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  chain::TemplateHash awaited_;
  std::optional<Clock::time_point> at_;
};

}  // namespace

SwitchBench bench_switches(std::size_t switches) {
  SwitchBench bench;
  // A thread's number has 8 bits of the nonce.
  bench.threads = std::clamp(std::thread::hardware_concurrency(), 1U, 256U);
  bench.switches = switches;
  const mining::kernels::Kernel kernel = mining::fastest_kernel();
  bench.kernel = kernel.name;
  Stopwatch watch;
  mining::ThreadMinerOptions options;
  options.threads = bench.threads;
  options.search = mining::tile_searches(kernel);
  mining::ThreadMiner miner(options,
                            [&watch](const mining::ShareFound& share) { watch.found(share); });
  std::vector<std::chrono::nanoseconds> took;
  for (std::size_t i = 0; i < switches; ++i) {
    const std::uint64_t before = miner.hashes();
    miner.mine(order_of(2 * i, false));
    while (miner.hashes() == before) std::this_thread::sleep_for(kAtWork);
    std::this_thread::sleep_for(kAtWork);
    const mining::WorkOrder next = order_of(2 * i + 1, true);
    watch.await(next.template_hash);
    const auto begin = Clock::now();
    miner.mine(next);
    took.push_back(watch.wait() - begin);
  }
  miner.stop();
  std::ranges::sort(took);
  bench.p50 = took[took.size() / 2];
  bench.p99 = took[took.size() * 99 / 100];
  bench.max = took.back();
  return bench;
}

}  // namespace eventchain::tools
