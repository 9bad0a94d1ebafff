#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
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

  // Pre: `arrival` greater than any before; the commitment is not held. Over the limits it still
  // adds: what is durable elsewhere must be held here too. Intake is refused earlier.
  void add(const EventFacts& facts, std::uint64_t arrival, Instant now);
  void mark_durable(const Commitment& commitment);
  // Forgets one variant; false if not held.
  bool remove(const Commitment& commitment);
  // Forgets all variants of a key and returns them.
  std::vector<PendingEvent> take(const EventKey& key);

  [[nodiscard]] const PendingEvent* find(const Commitment& commitment) const;
  [[nodiscard]] std::vector<const PendingEvent*> variants(const EventKey& key) const;

  [[nodiscard]] std::size_t size() const { return by_arrival_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  // Above `percent` (1..100) of either limit.
  [[nodiscard]] bool is_above(unsigned percent) const;
  [[nodiscard]] const PoolLimits& limits() const { return limits_; }
  // Arrival order; iteration is the assembler's.
  [[nodiscard]] const std::map<std::uint64_t, PendingEvent>& in_order() const {
    return by_arrival_;
  }

 private:
  PoolLimits limits_;
  std::size_t bytes_ = 0;
  std::map<std::uint64_t, PendingEvent> by_arrival_;
  std::unordered_map<Commitment, std::uint64_t, FixedBytesHash> by_commitment_;
  std::unordered_multimap<EventKey, std::uint64_t, FixedBytesHash> by_key_;
};

}  // namespace eventchain::chain
