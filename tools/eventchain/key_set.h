#pragma once

#include <cstddef>
#include <vector>

#include "chain/types.h"

namespace eventchain::tools {

// The keys of a whole chain: a flat table with open addressing, half empty, grown by doubling. With
// std::unordered_set the cache misses on its nodes took a third of a verification's time. A key is
// a hash, so its first octets are as good as any mix.
class KeySet {
 public:
  explicit KeySet(std::size_t expected) { resize(expected); }

  [[nodiscard]] bool contains(const chain::EventKey& key) const {
    return key.is_zero() ? has_zero_ : !slots_[place_of(key)].is_zero();
  }

  void insert(const chain::EventKey& key) {
    if (key.is_zero()) {  // marks an empty slot, so it cannot be in one
      has_zero_ = true;
      return;
    }
    chain::EventKey& slot = slots_[place_of(key)];
    if (!slot.is_zero()) return;
    slot = key;
    if (2 * ++size_ > slots_.size()) resize(slots_.size());
  }

 private:
  // Of the key, or of the empty slot where it would go.
  [[nodiscard]] std::size_t place_of(const chain::EventKey& key) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t place = chain::FixedBytesHash()(key) & mask;
    while (!slots_[place].is_zero() && slots_[place] != key) place = (place + 1) & mask;
    return place;
  }

  void resize(std::size_t expected) {
    std::size_t size = 16;
    while (size < 2 * expected) size *= 2;
    std::vector<chain::EventKey> old(size);
    old.swap(slots_);
    for (const chain::EventKey& key : old)
      if (!key.is_zero()) slots_[place_of(key)] = key;
  }

  std::vector<chain::EventKey> slots_;  // as many as a power of two
  std::size_t size_ = 0;
  bool has_zero_ = false;
};

}  // namespace eventchain::tools
