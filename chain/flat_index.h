#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "chain/result.h"

namespace eventchain::chain {

// Where the items of a key are, for keys that are hashes (FixedBytesHash). The items lie elsewhere
// and have numbers; the index knows neither them nor their keys, only 32 bits of each hash, its
// mark. So looking for a key that is not there hardly ever touches more than one line of memory,
// and growing does not touch the items at all. A key may have several items. Open addressing, at
// most half full; what is removed is closed up, so that no lookup walks over what once was there.
//
// Whoever chooses keys can choose them so that their slots lie side by side, and a walk along all
// of them for every event would stop the node. A walk that chance does not explain therefore
// spreads the marks anew with other multipliers, for which those keys were not chosen; each
// further one to be prepared for makes finding such keys that many times harder again.
//
// A value; never shrinks: its owner fills it to the same level again and again, and 16 to 32 octets
// an item at the highest are little beside the items. In which order it finds items depends on its
// past and must not show. At most 2^31 items.
class FlatIndex {
 public:
  using Item = std::uint32_t;
  static constexpr Item kNone = std::numeric_limits<Item>::max();
  // Knuth's: the golden ratio in 32 bits, odd.
  static constexpr std::uint32_t kFirstMultiplier = 0x9e3779b1;
  // Chance makes a walk of 256 slots once in some 10^20 insertions into a table that is half full.
  static constexpr std::size_t kWalkMax = 256;

  [[nodiscard]] std::size_t size() const { return size_; }

  // Pre: the item is not in it under this hash.
  void insert(std::size_t hash, Item item) {
    EC_ASSERT(item != kNone && size_ < kItemsMax, "the index counts in 32 bits");
    if (2 * (size_ + 1) > slots_.size()) spread(2 * slots_.size());
    ++size_;
    if (put(Slot{mark_of(hash), item}) <= kWalkMax) return;
    multiplier_ *= kNextMultiplier;
    spread(slots_.size());
  }

  // Pre: the item is in it under this hash.
  void erase(std::size_t hash, Item item) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t gap = home_of(mark_of(hash));
    while (slots_[gap].item != item) {
      EC_ASSERT(slots_[gap].item != kNone, "only what is in the index is erased");
      gap = (gap + 1) & mask;
    }
    // What follows moves up, unless it would come to lie before the slot its lookup begins at.
    for (std::size_t at = (gap + 1) & mask; slots_[at].item != kNone; at = (at + 1) & mask) {
      const std::size_t way = (at - home_of(slots_[at].mark)) & mask;
      if (way < ((at - gap) & mask)) continue;
      slots_[gap] = slots_[at];
      gap = at;
    }
    slots_[gap] = Slot{};
    --size_;
  }

  // One item under this hash that `is_meant`, kNone if there is none. Other keys may have the same
  // hash: `is_meant(item)` compares.
  template <class IsMeant>
  [[nodiscard]] Item find(std::size_t hash, const IsMeant& is_meant) const {
    const std::size_t mask = slots_.size() - 1;
    const std::uint32_t mark = mark_of(hash);
    for (std::size_t at = home_of(mark); slots_[at].item != kNone; at = (at + 1) & mask)
      if (slots_[at].mark == mark && is_meant(slots_[at].item)) return slots_[at].item;
    return kNone;
  }

  // All items under this hash, those of other keys with the same hash too.
  template <class Visit>
  void each(std::size_t hash, const Visit& visit) const {
    const auto go_on = [&](Item item) {
      visit(item);
      return false;
    };
    static_cast<void>(find(hash, go_on));
  }

  // How many slots the longest walk of all has, counting the empty one that ends it: walks over all
  // of the table.
  [[nodiscard]] std::size_t longest_walk() const {
    std::size_t longest = 1;
    std::size_t run = 1;
    // Twice around: a run of slots may go over the end.
    for (std::size_t i = 0; i < 2 * slots_.size(); ++i) {
      run = slots_[i % slots_.size()].item == kNone ? 1 : run + 1;
      longest = std::max(longest, run);
    }
    return longest;
  }

 private:
  static constexpr std::size_t kSlotsMin = 16;
  static constexpr std::size_t kItemsMax = std::size_t{1} << 31;
  static constexpr std::uint32_t kNextMultiplier = 0x2c1b3c6d;  // odd; of Wellons' integer hashes

  struct Slot {
    std::uint32_t mark = 0;
    Item item = kNone;
  };

  static std::uint32_t mark_of(std::size_t hash) { return static_cast<std::uint32_t>(hash); }
  // The slot at which the walk of a lookup begins.
  [[nodiscard]] std::size_t home_of(std::uint32_t mark) const {
    return (mark * multiplier_) >> shift_;
  }

  // How many items with other marks were in the way; with the same one any number may be.
  std::size_t put(const Slot& slot) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = home_of(slot.mark);
    std::size_t others = 0;
    for (; slots_[at].item != kNone; at = (at + 1) & mask) others += slots_[at].mark != slot.mark;
    slots_[at] = slot;
    return others;
  }

  void spread(std::size_t size) {
    std::vector<Slot> old(size);
    old.swap(slots_);
    shift_ = 32 - std::countr_zero(size);
    for (const Slot& slot : old)
      if (slot.item != kNone) put(slot);
  }

  std::vector<Slot> slots_ = std::vector<Slot>(kSlotsMin);  // as many as a power of two
  int shift_ = 32 - std::countr_zero(kSlotsMin);
  std::uint32_t multiplier_ = kFirstMultiplier;  // odd
  std::size_t size_ = 0;
};

}  // namespace eventchain::chain
