#include "mining/randomx/randomx_search.h"

#include <utility>

#include "chain/result.h"

namespace eventchain::mining::randomx {

RandomXSearch::RandomXSearch(std::shared_ptr<Memory> memory, std::uint8_t thread,
                             SearchPosition start)
    : memory_(std::move(memory)),
      thread_(thread),
      position_{start.counter % chain::kNonceCounters, start.word12} {
  machine_.emplace(memory_);
}

chain::Nonce RandomXSearch::step() {
  const chain::Nonce nonce{chain::nonce_high(order_->slot, thread_, position_.counter),
                           position_.word12};
  if (++position_.word12 == 0) position_.counter = (position_.counter + 1) % chain::kNonceCounters;
  return nonce;
}

void RandomXSearch::switch_to(const WorkOrder& order) {
  order_ = order;
  preimage_ = chain::share_preimage(order.header, chain::Nonce{});
  // The one that was begun for the order before is not finished: half a hash is lost.
  begun_ = step();
  chain::set_nonce(preimage_, begun_);
  machine_->begin(preimage_.view());
}

std::uint64_t RandomXSearch::advance(std::vector<chain::Nonce>& shares) {
  EC_ASSERT(order_.has_value(), "a search needs an order");
  if (!machine_->is_fast()) {
    if (memory_->is_fast()) {
      machine_.emplace(memory_);
      machine_->begin(preimage_.view());
    } else if (builds_next_ && memory_->build_piece()) {
      builds_next_ = false;
      return 0;
    }
  }
  builds_next_ = true;
  const chain::Nonce nonce = std::exchange(begun_, step());
  chain::set_nonce(preimage_, begun_);
  const chain::Hash hash = machine_->next(preimage_.view());
  if (chain::share_value(hash) <= order_->target) shares.push_back(nonce);
  return 1;
}

}  // namespace eventchain::mining::randomx
