#pragma once

#include <cstddef>
#include <unordered_map>
#include <utility>

#include "chain/bytes.h"

namespace eventchain::store {

// A bounded cache over a table: what was written or asked for lately. Two generations: when the
// young one is full it becomes the old one and the old one is forgotten, which keeps what is in use
// at a small price. At most 2 x kGenerationMax entries. What is not here, the table knows.
template <class Key, class Value>
class RecentMap {
 public:
  static constexpr std::size_t kGenerationMax = 65'536;

  // nullptr: not known here. Valid until the next call.
  const Value* find(const Key& key) {
    if (const auto at = young_.find(key); at != young_.end()) return &at->second;
    const auto at = old_.find(key);
    if (at == old_.end()) return nullptr;
    return put(key, Value(at->second));
  }
  const Value* put(const Key& key, Value value) {
    if (young_.size() >= kGenerationMax) {
      old_ = std::move(young_);
      young_.clear();
    }
    return &(young_[key] = std::move(value));
  }
  void erase(const Key& key) {
    young_.erase(key);
    old_.erase(key);
  }

 private:
  using Generation = std::unordered_map<Key, Value, chain::FixedBytesHash>;
  Generation young_;
  Generation old_;
};

}  // namespace eventchain::store
