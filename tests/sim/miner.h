#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "chain/rng.h"
#include "chain/work.h"
#include "mining/search.h"
#include "mining/work.h"
#include "tests/sim/hashed_nonces.h"
#include "tests/sim/scheduler.h"

namespace eventchain::sim {

// A node's miner in virtual time. When a share is due is drawn from the hash rate and the target;
// then a nonce is really searched for, which at the targets of a simulation takes a few hashes.
class Miner {
 public:
  using Found = std::function<void(const mining::ShareFound&)>;

  // With `nonces` it searches with what a real miner's thread searches with, and records what that
  // hashes; without, by counting, which costs less. `nonces` outlives it.
  Miner(std::size_t node, std::uint64_t hashes_per_second, Scheduler& scheduler, Found found,
        chain::Rng rng, HashedNonces* nonces = nullptr);

  // The process starts again: it does not know where it was, and begins anywhere.
  void restart();
  void mine(const mining::WorkOrder& order);
  void stop();
  // 0: no share is found.
  void set_rate(std::uint64_t hashes_per_second);
  [[nodiscard]] std::uint64_t rate() const { return rate_; }
  [[nodiscard]] bool is_mining() const { return order_.has_value(); }
  [[nodiscard]] const std::optional<mining::WorkOrder>& order() const { return order_; }

 private:
  void wait_for_share();
  void search();
  std::optional<chain::Nonce> search_tiles();
  std::optional<chain::Nonce> search_by_counting();

  const std::size_t node_;
  std::uint64_t rate_;
  Scheduler& scheduler_;
  const Found found_;
  const chain::Sha256Digest digest_;
  chain::Rng rng_;
  HashedNonces* const nonces_;
  std::unique_ptr<mining::Search> search_;  // with nonces_, while it has been started
  std::optional<mining::WorkOrder> order_;
  std::uint64_t counter_ = 0;  // without nonces_
  std::uint64_t epoch_ = 0;
};

}  // namespace eventchain::sim
