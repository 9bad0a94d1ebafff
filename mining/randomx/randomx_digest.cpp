#include "mining/randomx/randomx_digest.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>
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
  try {
    return std::make_unique<Machine>(memory_);
  } catch (...) {
    {
      const std::lock_guard lock(mutex_);
      --made_;
    }
    given_back_.notify_one();
    throw;
  }
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

std::optional<chain::Hash> RandomXDigest::again(const chain::SharePreimage& preimage) const {
  if (!memory_->is_fast()) return std::nullopt;
  const std::lock_guard lock(again_mutex_);
  if (!of_cache_) of_cache_ = std::make_unique<Machine>(memory_, Machine::Reads::kCacheAlone);
  return of_cache_->digest(preimage.view());
}

std::vector<chain::Hash> RandomXDigest::digests(
    std::span<const chain::SharePreimage> preimages) const {
  std::vector<chain::Hash> result(preimages.size());
  std::atomic<std::size_t> next = 0;
  const auto compute = [&](std::unique_ptr<Machine> machine) {
    for (std::size_t i = next++; i < preimages.size(); i = next++)
      result[i] = machine->digest(preimages[i].view());
    give_back(std::move(machine));
  };
  if (preimages.empty()) return result;
  // Starting a thread takes a thousandth of a digest's time.
  std::vector<std::jthread> others;
  const std::size_t threads = std::min<std::size_t>(side_by_side_, preimages.size());
  try {
    for (std::size_t i = 1; i < threads; ++i)
      others.emplace_back([&] {
        std::unique_ptr<Machine> machine;
        try {
          machine = borrow();
        } catch (const std::exception&) {
          return;  // nothing was begun: the calling thread does its part
        }
        compute(std::move(machine));
      });
  } catch (const std::system_error&) {
    // The system has no more threads to give: those that there are take longer.
  }
  compute(borrow());
  others.clear();
  return result;
}

}  // namespace eventchain::mining::randomx
