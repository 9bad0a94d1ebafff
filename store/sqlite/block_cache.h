#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "store/chain_reader.h"

namespace eventchain::store {

// Decoded blocks by height, least recently used first out. A committed block never changes, so an
// entry is right in every state that contains the height. Bounded by the entries of its blocks;
// one block always fits. Safe for several threads.
class BlockCache {
 public:
  using Shared = std::shared_ptr<const StoredBlock>;

  explicit BlockCache(std::size_t entries_max) : entries_max_(entries_max) {}

  Shared find(chain::Height height);
  void put(Shared block);

 private:
  using Order = std::list<Shared>;  // most recently used first

  const std::size_t entries_max_;
  std::mutex mutex_;
  // guarded by mutex_
  Order order_;
  std::unordered_map<std::uint64_t, Order::iterator> by_height_;
  std::size_t entries_ = 0;
};

}  // namespace eventchain::store
