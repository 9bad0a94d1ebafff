#include "node/inbox.h"

#include <algorithm>
#include <iterator>

namespace eventchain::node {

void Inbox::post(Item item) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    items_.push_back({std::move(item), 0});
  }
  arrived_.notify_one();
}

bool Inbox::post_bounded(Item item, std::size_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return true;
    if (peer_bytes_ + bytes > peer_bytes_max_) return false;
    peer_bytes_ += bytes;
    items_.push_back({std::move(item), bytes});
  }
  arrived_.notify_one();
  return true;
}

void Inbox::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    items_.clear();
  }
  arrived_.notify_all();
}

std::optional<std::vector<Inbox::Item>> Inbox::take(std::chrono::steady_clock::time_point until,
                                                    std::size_t items_max) {
  std::unique_lock lock(mutex_);
  arrived_.wait_until(lock, until, [this] { return closed_ || !items_.empty(); });
  if (closed_) return std::nullopt;
  std::vector<Item> taken;
  const std::size_t count = std::min(items_max, items_.size());
  taken.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    peer_bytes_ -= items_[i].bytes;
    taken.push_back(std::move(items_[i].item));
  }
  items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(count));
  return taken;
}

}  // namespace eventchain::node
