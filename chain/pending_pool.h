#pragma once

#include <cstdint>
#include <list>
#include <unordered_set>
#include <vector>

#include "chain/event.h"
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
};

struct PoolLimits {
  std::size_t events_max = 1'000'000;
  std::size_t bytes_max = std::size_t{256} * 1024 * 1024;  // of bodies
};

// Events held durably that have no position yet, in order of arrival. One key may be held in more
// than one variant (other salt or other content): two nodes accepted it at the same moment.
// Bounded; the caller refuses intake when is_above(100). Not thread-safe; owned by the node's core.
class PendingPool {
 public:
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
  // First arrival first.
  [[nodiscard]] std::vector<const PendingEvent*> variants(const EventKey& key) const;
  // One of the variants, nullptr if there is none; quicker than all of them.
  [[nodiscard]] const PendingEvent* any_variant(const EventKey& key) const;

  [[nodiscard]] std::size_t size() const { return by_arrival_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  // Above `percent` (1..100) of either limit.
  [[nodiscard]] bool is_above(unsigned percent) const;
  [[nodiscard]] const PoolLimits& limits() const { return limits_; }
  // Arrival order; iteration is the assembler's.
  [[nodiscard]] const std::list<PendingEvent>& in_order() const { return by_arrival_; }

 private:
  using Place = std::list<PendingEvent>::iterator;
  // Both tables refer to the list, so that a lookup ends at the event itself.
  template <auto kName>
  struct ByName {
    using is_transparent = void;
    template <class Tag, std::size_t N>
    std::size_t operator()(const FixedBytes<Tag, N>& name) const {
      return FixedBytesHash()(name);
    }
    std::size_t operator()(Place place) const { return FixedBytesHash()(place->facts.*kName); }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return name_of(a) == name_of(b);
    }

   private:
    template <class Tag, std::size_t N>
    static const FixedBytes<Tag, N>& name_of(const FixedBytes<Tag, N>& name) {
      return name;
    }
    static const auto& name_of(Place place) { return place->facts.*kName; }
  };
  using ByCommitment = ByName<&EventFacts::commitment>;
  using ByKey = ByName<&EventFacts::key>;

  PoolLimits limits_;
  std::size_t bytes_ = 0;
  std::list<PendingEvent> by_arrival_;
  std::unordered_set<Place, ByCommitment, ByCommitment> by_commitment_;
  std::unordered_multiset<Place, ByKey, ByKey> by_key_;
};

}  // namespace eventchain::chain
