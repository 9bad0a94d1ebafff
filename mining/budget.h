#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "chain/types.h"

namespace eventchain::mining {

// When a thread goes idle for a moment, so that the scheduler can use its processor.
struct Naps {
  std::chrono::nanoseconds after{0};   // so much work, at the end of a quantum
  std::chrono::nanoseconds length{0};  // 0: none
  bool operator==(const Naps&) const = default;
};

// What a miner may use at a time.
struct Allowance {
  unsigned threads = 0;                    // 0: it stops
  std::chrono::nanoseconds per_period{0};  // of ProcessorBudget, all threads together; 0: unlimited
  Naps naps = {};
  bool operator==(const Allowance&) const = default;
};

// What all threads of a miner together may use of the processors: so much time in every period, and
// rest until the period ends. Shared, so that what a thread cannot use because others keep its
// processor busy goes to the thread beside it. Pure: both times are handed in.
//
// A long period on purpose: resting every millisecond doubled the p99 of a service on the same
// host. What is used beyond the budget, a quantum for each thread at most, is taken off the next
// periods. Time not used is not owed later.
//
// Threading: every function may be called from any thread; none takes a lock (see handoff.h).
class ProcessorBudget {
 public:
  static constexpr std::chrono::milliseconds kPeriod{50};

  // Of all threads together, from now on; nullopt: as much as there is.
  void allow(std::optional<std::chrono::nanoseconds> per_period);
  // Whether there is anything to measure.
  [[nodiscard]] bool is_limited() const;
  // After a quantum, with the processor time it took: nullopt to go on, or until when to rest.
  std::optional<chain::Instant> charge(chain::Instant now, std::chrono::nanoseconds used);

 private:
  std::atomic<std::int64_t> per_period_{0};  // nanoseconds; 0: unlimited
  std::atomic<std::uint64_t> spent_{0};      // the period's number and what was used in it
};

}  // namespace eventchain::mining
