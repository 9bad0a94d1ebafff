#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "chain/event.h"
#include "chain/result.h"

namespace eventchain::store {

// The held events that no block has placed or rejected, by key. It is not stored: a key follows
// from its body, and a start reads the bodies of all pending events anyway. Keeping it out of the
// database until a block names the event turns one write to a random page for every event into
// sorted writes for every block. Owned by SqliteChain; one thread; as large as the pending pool.
class PendingIndex {
 public:
  struct Variant {
    std::uint64_t arrival = 0;
    chain::Commitment commitment;
  };

  void add(const chain::EntryRef& entry, std::uint64_t arrival) {
    by_key_.emplace(entry.key, Variant{arrival, entry.commitment});
  }
  // nullopt: not pending, or under another key than the caller was told.
  [[nodiscard]] std::optional<std::uint64_t> find(const chain::EntryRef& entry) const {
    const auto [begin, end] = by_key_.equal_range(entry.key);
    for (auto at = begin; at != end; ++at)
      if (at->second.commitment == entry.commitment) return at->second.arrival;
    return std::nullopt;
  }
  // Forgets the variant; nullopt if it was not pending.
  std::optional<std::uint64_t> take(const chain::EntryRef& entry) {
    const auto [begin, end] = by_key_.equal_range(entry.key);
    for (auto at = begin; at != end; ++at) {
      if (at->second.commitment != entry.commitment) continue;
      const std::uint64_t arrival = at->second.arrival;
      by_key_.erase(at);
      return arrival;
    }
    return std::nullopt;
  }
  // Calls `visit` with the arrival of each variant of a key, in no particular order.
  template <class Visit>
  void each(const chain::EventKey& key, const Visit& visit) const {
    const auto [begin, end] = by_key_.equal_range(key);
    for (auto at = begin; at != end; ++at) visit(at->second.arrival);
  }

 private:
  std::unordered_multimap<chain::EventKey, Variant, chain::FixedBytesHash> by_key_;
};

}  // namespace eventchain::store
