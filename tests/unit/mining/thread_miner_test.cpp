#include <doctest/doctest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <latch>
#include <memory>

#include "collector.h"
#include "mining/thread_miner.h"
#include "reference.h"

using namespace eventchain;
using namespace eventchain::mining;

namespace {

// Quanta of next to nothing; counts how many of them its thread was away before.
class NapCount final : public Search {
 public:
  static constexpr int kQuanta = 500;
  struct Seen {
    std::atomic<int> naps = 0;
    std::latch all{kQuanta};
  };
  explicit NapCount(Seen& seen) : seen_(seen) {}

  void switch_to(const WorkOrder&) override {}
  std::uint64_t advance(std::vector<chain::Nonce>&) override {
    rusage use{};
    getrusage(RUSAGE_THREAD, &use);
    if (quanta_ > kQuanta) return 0;
    if (quanta_++ > 0) {
      seen_.naps += use.ru_nvcsw > switches_ ? 1 : 0;
      seen_.all.count_down();
    }
    switches_ = use.ru_nvcsw;
    return 1;
  }

 private:
  Seen& seen_;
  int quanta_ = 0;
  long switches_ = 0;
};

int naps_with(const Allowance& allowance) {
  NapCount::Seen seen;
  Collector collector;
  ThreadMinerOptions options;
  options.search = [&seen](std::uint8_t, SearchPosition) {
    return std::make_unique<NapCount>(seen);
  };
  ThreadMiner miner(options, collector.callback());
  miner.allow(allowance);
  miner.mine(make_order(71));
  seen.all.wait();
  return seen.naps;
}

}  // namespace

TEST_CASE("a thread takes naps after so much work, where it is told to") {
  using std::chrono::microseconds;
  const Naps after_each{.after = microseconds(0), .length = microseconds(50)};
  // A nap may be over before it has begun, and a page may have to be waited for without one.
  constexpr int kMost = NapCount::kQuanta * 8 / 10;
  constexpr int kFew = NapCount::kQuanta / 10;
  CHECK(naps_with({.threads = 1, .naps = after_each}) > kMost);
  CHECK(naps_with({.threads = 1}) < kFew);
  CHECK(naps_with({.threads = 1, .naps = {microseconds(1'000'000), microseconds(50)}}) < kFew);
  // A budget that lasts makes no difference.
  CHECK(naps_with({.threads = 1, .per_period = microseconds(50'000), .naps = after_each}) > kMost);
}

TEST_CASE("the portable kernel serves a miner as well") {
  const WorkOrder order = make_order(2);
  Collector collector;
  ThreadMinerOptions options;
  options.search = tile_searches(kernels::supported_kernels().back());
  ThreadMiner miner(options, collector.callback());
  miner.mine(order);
  collector.wait_for(20);
  miner.stop();
  for (const ShareFound& share : collector.shares()) CHECK(reference::is_share(order, share.nonce));
}

TEST_CASE("a miner with a small budget works, changes its order and ends while it rests") {
  Collector collector;
  ThreadMiner miner({.threads = 2}, collector.callback());
  miner.allow({.threads = 2, .per_period = std::chrono::milliseconds(1)});
  const WorkOrder first = make_order(51);
  miner.mine(first);
  collector.wait_for(3);
  const WorkOrder second = make_order(52);
  miner.mine(second);
  const std::size_t before = collector.shares().size();
  collector.wait_for(before + 3);
  const std::vector<ShareFound> shares = collector.shares();
  for (std::size_t i = before; i < shares.size(); ++i) {
    CHECK(shares[i].template_hash == second.template_hash);
    CHECK(reference::is_share(second, shares[i].nonce));
  }
}

TEST_CASE("a small budget leaves a miner far behind one without") {
  Collector collector;
  ThreadMiner limited({.threads = 2}, collector.callback());
  limited.allow({.threads = 2, .per_period = std::chrono::microseconds(50)});
  Collector witness;
  ThreadMiner unlimited({}, witness.callback());
  limited.mine(make_order(53));
  unlimited.mine(make_order(54));
  collector.wait_for(1);
  witness.wait_for(20'000);
  CHECK(limited.hashes() < unlimited.hashes() / 4);
  CHECK(limited.processor_time() < unlimited.processor_time() / 4);
}

TEST_CASE("threads that are not allowed to work do not, and go on when they are") {
  Collector collector;
  ThreadMiner miner({.threads = 2}, collector.callback());
  miner.allow({.threads = 0});
  miner.mine(make_order(61));
  Collector witness;
  ThreadMiner other({}, witness.callback());
  other.mine(make_order(62));
  witness.wait_for(20);
  CHECK(miner.hashes() == 0);

  miner.allow({.threads = 1});
  collector.wait_for(50);
  for (const ShareFound& share : collector.shares()) CHECK(thread_of(share.nonce) == 0);

  miner.allow({.threads = 2});
  collector.wait_until([](const std::vector<ShareFound>& shares) {
    return std::any_of(shares.begin(), shares.end(),
                       [](const ShareFound& share) { return thread_of(share.nonce) == 1; });
  });
  miner.allow({.threads = 0});
  // Each thread may be in a quantum, and wait for a processor in the middle of it.
  int rounds_without_hashes = 0;
  for (int round = 0; round < 10'000 && rounds_without_hashes < 5; ++round) {
    const std::uint64_t before = miner.hashes();
    witness.wait_for(witness.shares().size() + 20);
    rounds_without_hashes = miner.hashes() == before ? rounds_without_hashes + 1 : 0;
  }
  CHECK(rounds_without_hashes == 5);
}
