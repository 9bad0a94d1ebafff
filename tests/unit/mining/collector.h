#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

#include "chain/rng.h"
#include "mining/work.h"
#include "reference.h"

namespace eventchain::mining {

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

  std::function<void(const ShareFound&)> callback() {
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

inline unsigned thread_of(const chain::Nonce& nonce) {
  return static_cast<unsigned>(nonce.high >> 40 & 0xff);
}

// Every 1024th hash is a share: many a second even on a slow build, few enough to follow.
inline WorkOrder make_order(std::uint64_t seed) {
  chain::Rng rng(seed);
  return reference::random_order(rng, 10);
}

// Everything meets it.
inline WorkOrder make_flood(std::uint64_t seed) {
  WorkOrder order = make_order(seed);
  order.target = chain::U256::max();
  return order;
}

}  // namespace eventchain::mining
