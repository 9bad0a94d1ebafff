#include "store/sqlite/block_cache.h"

#include <utility>

namespace eventchain::store {

namespace {

// A block without entries has a cost too, or the number of blocks would have no bound.
std::size_t cost(const StoredBlock& block) {
  return 16 + block.block.content.entries.size() + block.block.content.annex.size();
}

}  // namespace

BlockCache::Shared BlockCache::find(chain::Height height) {
  const std::lock_guard lock(mutex_);
  const auto at = by_height_.find(height.value);
  if (at == by_height_.end()) return nullptr;
  order_.splice(order_.begin(), order_, at->second);
  return *at->second;
}

void BlockCache::put(Shared block) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t height = block->block.sealed.header.height.value;
  if (by_height_.contains(height)) return;
  entries_ += cost(*block);
  order_.push_front(std::move(block));
  by_height_.emplace(height, order_.begin());
  while (entries_ > entries_max_ && order_.size() > 1) {
    const StoredBlock& last = *order_.back();
    entries_ -= cost(last);
    by_height_.erase(last.block.sealed.header.height.value);
    order_.pop_back();
  }
}

}  // namespace eventchain::store
