#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "mining/thread_miner.h"
#include "reference.h"

using namespace eventchain;
using namespace eventchain::mining;

namespace {

// Keeps what a miner delivers; tests wait on it.
class Collector {
 public:
  void add(const ShareFound& share) {
    {
      const std::lock_guard lock(mutex_);
      shares_.push_back(share);
    }
    changed_.notify_all();
  }

  ThreadMiner::OnShare callback() {
    return [this](const ShareFound& share) { add(share); };
  }

  // Until `predicate` holds for all shares so far.
  template <class Predicate>
  void wait_until(Predicate predicate) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return predicate(shares_); });
  }

  void wait_for(std::size_t count) {
    wait_until([count](const std::vector<ShareFound>& shares) { return shares.size() >= count; });
  }

  [[nodiscard]] std::vector<ShareFound> shares() {
    const std::lock_guard lock(mutex_);
    return shares_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ShareFound> shares_;
};

unsigned thread_of(const chain::Nonce& nonce) {
  return static_cast<unsigned>(nonce.high >> 40 & 0xff);
}

// Every 1024th hash is a share: many a second even on a slow build, few enough to follow.
WorkOrder make_order(std::uint64_t seed) {
  chain::Rng rng(seed);
  return reference::random_order(rng, 10);
}

}  // namespace

TEST_CASE("a miner finds valid shares of its slot on every thread, none twice") {
  const WorkOrder order = make_order(1);
  Collector collector;
  ThreadMiner miner({.threads = 2}, collector.callback());
  miner.mine(order);
  collector.wait_until([](const std::vector<ShareFound>& shares) {
    std::set<unsigned> threads;
    for (const ShareFound& share : shares) threads.insert(thread_of(share.nonce));
    return threads.size() == 2 && shares.size() >= 300;
  });
  miner.stop();
  std::set<chain::Nonce> distinct;
  for (const ShareFound& share : collector.shares()) {
    CHECK(share.template_hash == order.template_hash);
    CHECK(share.nonce.slot() == order.slot);
    CHECK(thread_of(share.nonce) < 2);
    CHECK(reference::is_share(order, share.nonce));
    distinct.insert(share.nonce);
  }
  CHECK(distinct.size() == collector.shares().size());
  CHECK(miner.hashes() > 0);
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

TEST_CASE("after a new order no share of the old one is delivered") {
  Collector collector;
  ThreadMiner miner({.threads = 2}, collector.callback());
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    INFO("order ", seed);
    const WorkOrder order = make_order(seed);
    miner.mine(order);
    const std::size_t before = collector.shares().size();
    collector.wait_for(before + 3);
    const std::vector<ShareFound> shares = collector.shares();
    for (std::size_t i = before; i < shares.size(); ++i) {
      CHECK(shares[i].template_hash == order.template_hash);
      CHECK(reference::is_share(order, shares[i].nonce));
    }
  }
}

TEST_CASE("after stop nothing is delivered, and the next order starts the miner again") {
  Collector collector;
  ThreadMiner miner({.threads = 2}, collector.callback());
  miner.stop();
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    miner.mine(make_order(seed));
    const std::size_t before = collector.shares().size();
    collector.wait_for(before + 1);
    miner.stop();
    const std::size_t stopped_at = collector.shares().size();
    miner.stop();
    // Another miner's shares show that time passes and the stopped one stays silent.
    Collector witness;
    ThreadMiner other({}, witness.callback());
    other.mine(make_order(seed + 1000));
    witness.wait_for(5);
    CHECK(collector.shares().size() == stopped_at);
  }
}

TEST_CASE("an order given again, at once or after a stop, never repeats a share") {
  const WorkOrder a = make_order(21);
  const WorkOrder b = make_order(22);
  Collector collector;
  ThreadMiner miner({}, collector.callback());
  for (int turn = 0; turn < 5; ++turn) {
    miner.mine(a);
    miner.mine(a);
    collector.wait_for(collector.shares().size() + 5);
    miner.stop();
    miner.mine(a);
    collector.wait_for(collector.shares().size() + 5);
    miner.mine(b);
  }
  miner.stop();
  std::set<std::pair<chain::TemplateHash, chain::Nonce>> distinct;
  for (const ShareFound& share : collector.shares())
    distinct.insert({share.template_hash, share.nonce});
  CHECK(distinct.size() == collector.shares().size());
}

TEST_CASE("the last of many orders wins, however fast they come") {
  Collector collector;
  ThreadMiner miner({.threads = 3}, collector.callback());
  for (std::uint64_t seed = 1; seed <= 500; ++seed) miner.mine(make_order(seed));
  const WorkOrder last = make_order(501);
  miner.mine(last);
  const std::size_t before = collector.shares().size();
  collector.wait_for(before + 10);
  const std::vector<ShareFound> shares = collector.shares();
  for (std::size_t i = before; i < shares.size(); ++i) {
    CHECK(shares[i].template_hash == last.template_hash);
    CHECK(reference::is_share(last, shares[i].nonce));
  }
}

TEST_CASE("a flood of shares is delivered completely, and a stop ends it") {
  WorkOrder order = make_order(3);
  order.target = chain::U256::max();
  Collector collector;
  ThreadMiner miner({}, collector.callback());
  miner.mine(order);
  collector.wait_for(5000);
  miner.stop();
  // With a target that everything meets, the delivered nonces have no gap.
  const std::vector<ShareFound> shares = collector.shares();
  std::size_t at = 0;
  const std::uint64_t first = shares.front().nonce.high;
  for (const ShareFound& share : shares) {
    const std::uint64_t column = at % Sha256Search::kTileWidth;
    const auto row = static_cast<std::uint32_t>(at / Sha256Search::kTileWidth);
    REQUIRE(share.nonce == chain::Nonce{first + column, Sha256Search::low_at(row)});
    ++at;
  }
}

TEST_CASE("a miner can be destroyed unused, stopped, mining or in a flood") {
  Collector collector;
  { ThreadMiner miner({.threads = 3}, collector.callback()); }
  {
    ThreadMiner miner({.threads = 3}, collector.callback());
    miner.mine(make_order(31));
    miner.stop();
  }
  {
    ThreadMiner miner({.threads = 3}, collector.callback());
    miner.mine(make_order(32));
    collector.wait_for(1);
  }
  {
    WorkOrder flood = make_order(33);
    flood.target = chain::U256::max();
    ThreadMiner miner({.threads = 3}, collector.callback());
    miner.mine(flood);
    collector.wait_for(collector.shares().size() + 1000);
  }
}

TEST_CASE("a delivery in progress ends before a stop returns") {
  WorkOrder flood = make_order(41);
  flood.target = chain::U256::max();
  std::atomic<bool> inside{false};
  std::atomic<std::uint64_t> delivered{0};
  ThreadMiner miner({}, [&](const ShareFound&) {
    inside = true;
    ++delivered;
    delivered.notify_all();
    // Long enough that a stop which did not wait would return in here, sooner or later.
    for (int i = 0; i < 20; ++i) std::this_thread::yield();
    inside = false;
  });
  for (int turn = 0; turn < 200; ++turn) {
    const std::uint64_t before = delivered;
    miner.mine(flood);
    delivered.wait(before);
    miner.stop();
    CHECK_FALSE(inside);
  }
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
