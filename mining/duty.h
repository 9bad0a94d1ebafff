#pragma once

#include <chrono>
#include <optional>

#include "chain/types.h"

namespace eventchain::mining {

// Holds a thread to a percentage of one processor. Pure: both times are handed in. In every period
// the thread may use its share of processor time and then rests until the period ends. A long
// period on purpose: resting every millisecond doubled the p99 of a service on the same host.
class DutyBudget {
 public:
  static constexpr std::chrono::milliseconds kPeriod{50};

  explicit DutyBudget(unsigned percent);  // 1..100

  // Whether there is anything to measure.
  [[nodiscard]] bool is_limited() const { return percent_ < 100; }
  // After a quantum, with the processor time used since the thread's start: nullopt to go on, or
  // the time until which to rest.
  std::optional<chain::Instant> rest_until(chain::Instant now, std::chrono::nanoseconds used);

 private:
  const unsigned percent_;
  std::optional<chain::Instant> period_start_;
  std::chrono::nanoseconds used_at_start_{0};
  std::chrono::nanoseconds used_{0};  // at the last call
};

}  // namespace eventchain::mining
