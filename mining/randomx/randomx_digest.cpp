#include "mining/randomx/randomx_digest.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "chain/result.h"

namespace eventchain::mining::randomx {

RandomXDigest::RandomXDigest(std::shared_ptr<Memory> memory, unsigned side_by_side)
    : memory_(std::move(memory)), side_by_side_(side_by_side) {
  EC_ASSERT(side_by_side >= 1, "somebody computes");
}

std::unique_ptr<Machine> RandomXDigest::borrow() const {
  {
    std::unique_lock lock(mutex_);
    given_back_.wait(lock, [this] { return !idle_.empty() || made_ < side_by_side_; });
    if (!idle_.empty()) {
      std::unique_ptr<Machine> machine = std::move(idle_.back());
      idle_.pop_back();
      return machine;
    }
    ++made_;
  }
  return std::make_unique<Machine>(memory_);
}

void RandomXDigest::give_back(std::unique_ptr<Machine> machine) const {
  {
    const std::lock_guard lock(mutex_);
    // One that cannot do what a new one could goes.
    if (machine->is_fast() == memory_->is_fast()) {
      idle_.push_back(std::move(machine));
    } else {
      --made_;
    }
  }
  given_back_.notify_one();
}

chain::Hash RandomXDigest::digest(const chain::SharePreimage& preimage) const {
  std::unique_ptr<Machine> machine = borrow();
  const chain::Hash hash = machine->digest(preimage.view());
  give_back(std::move(machine));
  return hash;
}

std::vector<chain::Hash> RandomXDigest::digests(
    std::span<const chain::SharePreimage> preimages) const {
  std::vector<chain::Hash> result(preimages.size());
  std::atomic<std::size_t> next = 0;
  const auto compute = [&] {
    std::unique_ptr<Machine> machine = borrow();
    for (std::size_t i = next++; i < preimages.size(); i = next++)
      result[i] = machine->digest(preimages[i].view());
    give_back(std::move(machine));
  };
  if (preimages.empty()) return result;
  // Starting a thread takes a thousandth of a digest's time.
  std::vector<std::jthread> others;
  const std::size_t threads = std::min<std::size_t>(side_by_side_, preimages.size());
  for (std::size_t i = 1; i < threads; ++i) others.emplace_back(compute);
  compute();
  others.clear();
  return result;
}

}  // namespace eventchain::mining::randomx
