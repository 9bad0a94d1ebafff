#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "chain/bytes.h"
#include "chain/result.h"

namespace eventchain::chain {

// A map whose keys are themselves hashes. The items lie one behind the other in the order in which
// they came; a table with open addressing, at most half full, tells where. Its slots have only
// eight octets, half of them from the key's hash, so that looking for a key which is not there
// (what a new event's key should be) hardly ever touches more than one line of memory; the lists of
// nodes of std::unordered_map cost a fifth of a verification's time. Nothing can be removed. A
// value; grows by doubling; at most 2^32 - 2 items. A pointer to a value lives until the next
// try_emplace().
template <class Key, class Value>
class FlatMap {
 public:
  explicit FlatMap(std::size_t expected = 0) { reserve(expected); }

  void reserve(std::size_t expected) {
    items_.reserve(expected);
    std::size_t size = kSlotsMin;
    while (size < 2 * expected) size *= 2;
    if (size > slots_.size()) spread(size);
  }

  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] bool contains(const Key& key) const { return find(key) != nullptr; }
  [[nodiscard]] const Value* find(const Key& key) const {
    const Slot& slot = slots_[slot_of(key)];
    return slot.item == kNone ? nullptr : &items_[slot.item].value;
  }

  // The value of this key, and whether it was added now.
  std::pair<Value*, bool> try_emplace(const Key& key, const Value& value = Value{}) {
    std::size_t at = slot_of(key);
    if (slots_[at].item != kNone) return {&items_[slots_[at].item].value, false};
    EC_ASSERT(items_.size() < kNone, "the table counts in 32 bits");
    if (2 * (items_.size() + 1) > slots_.size()) {
      spread(2 * slots_.size());
      at = slot_of(key);
    }
    slots_[at] = Slot{mark_of(key), static_cast<std::uint32_t>(items_.size())};
    items_.push_back(Item{key, value});
    return {&items_.back().value, true};
  }

 private:
  static constexpr std::size_t kSlotsMin = 16;
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  struct Item {
    Key key;
    [[no_unique_address]] Value value;
  };
  struct Slot {
    std::uint32_t mark = 0;
    std::uint32_t item = kNone;
  };

  static std::uint32_t mark_of(const Key& key) {
    return static_cast<std::uint32_t>(std::uint64_t{FixedBytesHash()(key)} >> 32);
  }

  // The one of the key, or the empty one where it would go.
  [[nodiscard]] std::size_t slot_of(const Key& key) const {
    const std::size_t mask = slots_.size() - 1;
    const std::uint32_t mark = mark_of(key);
    std::size_t at = FixedBytesHash()(key) & mask;
    while (slots_[at].item != kNone &&
           (slots_[at].mark != mark || items_[slots_[at].item].key != key))
      at = (at + 1) & mask;
    return at;
  }

  void spread(std::size_t size) {
    slots_.assign(size, Slot{});
    const std::size_t mask = size - 1;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      std::size_t at = FixedBytesHash()(items_[i].key) & mask;
      while (slots_[at].item != kNone) at = (at + 1) & mask;
      slots_[at] = Slot{mark_of(items_[i].key), static_cast<std::uint32_t>(i)};
    }
  }

  std::vector<Item> items_;
  std::vector<Slot> slots_;  // as many as a power of two
};

// The value of a map that is a set.
struct NoValue {};

}  // namespace eventchain::chain
