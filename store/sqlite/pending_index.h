#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "chain/block.h"
#include "chain/flat_index.h"

namespace eventchain::store {

// The held events that no block has placed or rejected, by key. It is not stored: a key follows
// from its body, and a start reads the bodies of all pending events anyway. Keeping it out of the
// database until a block names the event turns one write to a random page for every event into
// sorted writes for every block. Owned by SqliteChain; one thread; as large as the pending pool.
class PendingIndex {
 public:
  void add(const chain::EntryRef& entry, std::uint64_t arrival) {
    auto place = static_cast<Place>(variants_.size());
    if (free_.empty()) {
      variants_.push_back(Variant{entry, arrival});
    } else {
      place = free_.back();
      free_.pop_back();
      variants_[place] = Variant{entry, arrival};
    }
    by_key_.insert(hash_of(entry.key), place);
  }
  // nullopt: not pending, or under another key than the caller was told.
  [[nodiscard]] std::optional<std::uint64_t> find(const chain::EntryRef& entry) const {
    const Place place = find_place(entry);
    if (place == chain::FlatIndex::kNone) return std::nullopt;
    return variants_[place].arrival;
  }
  // Forgets the variant; nullopt if it was not pending.
  std::optional<std::uint64_t> take(const chain::EntryRef& entry) {
    const Place place = find_place(entry);
    if (place == chain::FlatIndex::kNone) return std::nullopt;
    by_key_.erase(hash_of(entry.key), place);
    free_.push_back(place);
    return variants_[place].arrival;
  }
  // Calls `visit` with the arrival of each variant of a key, in no particular order.
  template <class Visit>
  void each(const chain::EventKey& key, const Visit& visit) const {
    by_key_.each(hash_of(key), [&](Place place) {
      if (variants_[place].entry.key == key) visit(variants_[place].arrival);
    });
  }

 private:
  using Place = chain::FlatIndex::Item;  // in variants_
  struct Variant {
    chain::EntryRef entry;
    std::uint64_t arrival = 0;
  };

  static std::size_t hash_of(const chain::EventKey& key) { return chain::FixedBytesHash()(key); }
  [[nodiscard]] Place find_place(const chain::EntryRef& entry) const {
    return by_key_.find(hash_of(entry.key),
                        [&](Place place) { return variants_[place].entry == entry; });
  }

  std::vector<Variant> variants_;
  std::vector<Place> free_;
  chain::FlatIndex by_key_;
};

}  // namespace eventchain::store
