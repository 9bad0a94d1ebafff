#include "mining/paced_miner.h"

#include <utility>

#include "mining/host_probe.h"

namespace eventchain::mining {

PacedMiner::PacedMiner(std::chrono::milliseconds interval, OnShare on_share)
    : interval_(interval), on_share_(std::move(on_share)) {
  thread_ = std::jthread([this](const std::stop_token& stopping) { run(stopping); });
}

PacedMiner::~PacedMiner() {
  thread_.request_stop();
  wake_.notify();
  thread_.join();
}

void PacedMiner::mine(const WorkOrder& order) {
  {
    const std::lock_guard lock(mutex_);
    if (height_ != order.header.height) {
      height_ = order.header.height;
      due_ = monotonic_now() + interval_;
    }
    order_ = order;
  }
  wake_.notify();
}

void PacedMiner::stop() {
  const std::lock_guard lock(mutex_);
  order_.reset();
}

void PacedMiner::run(const std::stop_token& stopping) {
  while (!stopping.stop_requested()) {
    std::optional<chain::Instant> due;
    {
      const std::lock_guard lock(mutex_);
      if (order_ && due_ <= monotonic_now()) {
        const chain::Nonce nonce{chain::nonce_high(order_->slot, 0, 0), 0};
        on_share_({order_->template_hash, nonce});
        order_.reset();
      }
      if (order_) due = due_;
    }
    if (due) {
      wake_.wait_until(*due);
    } else {
      wake_.wait();
    }
  }
}

}  // namespace eventchain::mining
