#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "chain/work.h"
#include "mining/randomx/machine.h"

namespace eventchain::mining::randomx {

// The work function randomx-v1, key: the chain's id. Some 30 ms for a digest in light mode; many
// are computed by several threads, which live as long as the call.
//
// Threading: any thread. At most `side_by_side` digests are computed at a time, each with a machine
// of its own (2 MiB and some); who comes later waits. One more takes second looks, one at a time.
class RandomXDigest final : public chain::ShareDigest {
 public:
  RandomXDigest(std::shared_ptr<Memory> memory, unsigned side_by_side);

  [[nodiscard]] chain::WorkFunction function() const override {
    return chain::WorkFunction::kRandomXV1;
  }
  [[nodiscard]] chain::Hash digest(const chain::SharePreimage& preimage) const override;
  [[nodiscard]] std::vector<chain::Hash> digests(
      std::span<const chain::SharePreimage> preimages) const override;
  // From the cache alone, which is made once and small: the dataset is 2 GiB that nobody checks,
  // and the search reads the same. nullopt while there is no dataset.
  [[nodiscard]] std::optional<chain::Hash> again(
      const chain::SharePreimage& preimage) const override;

 private:
  [[nodiscard]] std::unique_ptr<Machine> borrow() const;
  void give_back(std::unique_ptr<Machine> machine) const;

  // constant after construction
  const std::shared_ptr<Memory> memory_;
  const unsigned side_by_side_;

  // guarded by mutex_
  mutable std::mutex mutex_;
  mutable std::condition_variable given_back_;
  mutable std::vector<std::unique_ptr<Machine>> idle_;
  mutable unsigned made_ = 0;

  // guarded by again_mutex_
  mutable std::mutex again_mutex_;
  mutable std::unique_ptr<Machine> of_cache_;
};

}  // namespace eventchain::mining::randomx
