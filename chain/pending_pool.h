#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <memory>
#include <vector>

#include "chain/event.h"
#include "chain/flat_index.h"
#include "chain/types.h"

namespace eventchain::chain {

// Where an event that has no position yet stands, as this node knows it.
enum class PendingStage : std::uint8_t {
  kReceived,  // durable here
  kDurable,   // durable on a majority of voters including the leader
};

struct PendingEvent {
  EventFacts facts;
  std::uint64_t arrival = 0;  // the store's sequence number: order of arrival here
  Instant since;
  PendingStage stage = PendingStage::kReceived;
  bool is_key_taken = false;  // another variant of its key has a position
  bool is_spread = false;     // from a peer by whose word voters hold it
};

struct PoolLimits {
  std::size_t events_max = 1'000'000;
  std::size_t bytes_max = std::size_t{256} * 1024 * 1024;  // of bodies
};

// Events held durably that have no position yet, in order of arrival. One key may be held in more
// than one variant (other salt or other content): two nodes accepted it at the same moment.
// Bounded; the caller refuses intake when is_above(100). Not thread-safe; owned by the node's core.
// The events lie in slabs of memory that stay where they are and are used again, not given back:
// with both indexes some 180 octets an event at the highest.
class PendingPool {
 public:
  class InOrder;

  explicit PendingPool(PoolLimits limits) : limits_(limits) {}

  PendingPool(PendingPool&&) noexcept = default;
  PendingPool& operator=(PendingPool&&) noexcept = default;

  // Pre: `arrival` greater than any before; the commitment is not held. Over the limits it still
  // adds: what is durable elsewhere must be held here too. Intake is refused earlier. The result
  // lives until it is removed.
  PendingEvent& add(const EventFacts& facts, std::uint64_t arrival, Instant now);
  void mark_durable(const Commitment& commitment);
  // The variants of this key that are left lost it to one that is not pending any more.
  void mark_key_taken(const EventKey& key);
  // All of them wait from `now` on, whatever they were told before.
  void restart_waits(Instant now);
  // Forgets one variant; false if not held.
  bool remove(const Commitment& commitment);
  // Forgets all variants of a key and returns them.
  std::vector<PendingEvent> take(const EventKey& key);

  [[nodiscard]] const PendingEvent* find(const Commitment& commitment) const;
  // One of those that begin like this.
  [[nodiscard]] const PendingEvent* find(const ShortId& id) const;
  // First arrival first.
  [[nodiscard]] std::vector<const PendingEvent*> variants(const EventKey& key) const;
  // One of the variants, nullptr if there is none; quicker than all of them.
  [[nodiscard]] const PendingEvent* any_variant(const EventKey& key) const;

  [[nodiscard]] std::size_t size() const { return by_commitment_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  // Above `percent` (1..100) of either limit.
  [[nodiscard]] bool is_above(unsigned percent) const;
  // How many events more it may have that it is not above `percent`; 0 where the bodies are.
  [[nodiscard]] std::size_t room_below(unsigned percent) const;
  [[nodiscard]] const PoolLimits& limits() const { return limits_; }
  // Of the event that came last; 0 if there is none.
  [[nodiscard]] std::uint64_t newest_arrival() const {
    return last_ == kNowhere ? 0 : at(last_).event.arrival;
  }
  // Arrival order; iteration is the assembler's. Good until the pool changes.
  [[nodiscard]] InOrder in_order() const;

 private:
  // A place is a number in the slabs. The two indexes and the chain in arrival order refer to
  // places; a place keeps its address.
  using Place = FlatIndex::Item;
  static constexpr Place kNowhere = FlatIndex::kNone;

  struct Held {
    PendingEvent event;
    Place before = kNowhere;
    Place after = kNowhere;  // of a free place: the next free one
  };
  // Large enough that an event costs no allocation, small enough for a pool that is hardly used.
  static constexpr std::size_t kSlabSize = 512;
  using Slab = std::array<Held, kSlabSize>;

  [[nodiscard]] Held& at(Place place) { return (*slabs_[place / kSlabSize])[place % kSlabSize]; }
  [[nodiscard]] const Held& at(Place place) const {
    return (*slabs_[place / kSlabSize])[place % kSlabSize];
  }
  [[nodiscard]] Place find_place(const Commitment& commitment) const;
  // Calls `visit` with the place of each variant of a key, in no particular order.
  template <class Visit>
  void each_variant(const EventKey& key, const Visit& visit) const;
  Place take_free_place();

  PoolLimits limits_;
  std::size_t bytes_ = 0;
  std::vector<std::unique_ptr<Slab>> slabs_;
  Place first_ = kNowhere;  // in arrival order
  Place last_ = kNowhere;
  Place free_ = kNowhere;  // the place left last is the first to be used again: it is still cached
  FlatIndex by_commitment_;
  FlatIndex by_key_;
};

// The events of a pool in order of arrival; a view.
class PendingPool::InOrder {
 public:
  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = PendingEvent;
    using difference_type = std::ptrdiff_t;
    using pointer = const PendingEvent*;
    using reference = const PendingEvent&;

    Iterator() = default;
    reference operator*() const { return pool_->at(place_).event; }
    pointer operator->() const { return &**this; }
    Iterator& operator++() {
      place_ = pool_->at(place_).after;
      return *this;
    }
    Iterator operator++(int) {
      const Iterator old = *this;
      ++*this;
      return old;
    }
    bool operator==(const Iterator&) const = default;

   private:
    friend class InOrder;
    Iterator(const PendingPool* pool, Place place) : pool_(pool), place_(place) {}

    const PendingPool* pool_ = nullptr;
    Place place_ = kNowhere;
  };

  explicit InOrder(const PendingPool& pool) : pool_(&pool) {}

  [[nodiscard]] Iterator begin() const { return {pool_, pool_->first_}; }
  [[nodiscard]] Iterator end() const { return {pool_, kNowhere}; }
  // Pre: the pool is not empty.
  [[nodiscard]] const PendingEvent& front() const { return *begin(); }

 private:
  const PendingPool* pool_;
};

inline PendingPool::InOrder PendingPool::in_order() const {
  return InOrder(*this);
}

}  // namespace eventchain::chain
