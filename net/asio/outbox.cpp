#include "net/asio/outbox.h"

#include <utility>

namespace eventchain::net {

bool Outbox::push(Priority priority, SharedFrame frame) {
  const std::lock_guard lock(mutex_);
  if (closed_ || wish_) return false;
  const bool was_empty = queue_.empty();
  if (queue_.push(priority, std::move(frame)) == SendQueue::Verdict::kHangUp) {
    wish_ = Wish{Ending::kTooSlow, "too slow: its send queue is full"};
    on_change_();
    return false;
  }
  if (was_empty) on_change_();
  return true;
}

void Outbox::ask_to_end(Wish wish) {
  const std::lock_guard lock(mutex_);
  if (closed_ || wish_) return;
  wish_ = std::move(wish);
  on_change_();
}

void Outbox::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  queue_ = SendQueue();
  on_change_ = [] {};
}

chain::Bytes Outbox::take(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  return queue_.take(bytes);
}

std::optional<Outbox::Wish> Outbox::wish() const {
  const std::lock_guard lock(mutex_);
  return wish_;
}

void OutboxTable::put(chain::NodeId peer, std::shared_ptr<Outbox> outbox) {
  const std::lock_guard lock(mutex_);
  outboxes_[peer] = std::move(outbox);
}

void OutboxTable::remove(chain::NodeId peer) {
  const std::lock_guard lock(mutex_);
  outboxes_.erase(peer);
}

std::shared_ptr<Outbox> OutboxTable::find(chain::NodeId peer) const {
  const std::lock_guard lock(mutex_);
  const auto found = outboxes_.find(peer);
  return found == outboxes_.end() ? nullptr : found->second;
}

}  // namespace eventchain::net
