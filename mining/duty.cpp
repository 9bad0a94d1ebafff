#include "mining/duty.h"

#include "chain/result.h"

namespace eventchain::mining {

DutyBudget::DutyBudget(unsigned percent) : percent_(percent) {
  EC_ASSERT(percent >= 1 && percent <= 100, "a duty is 1 to 100 percent");
}

std::optional<chain::Instant> DutyBudget::rest_until(chain::Instant now,
                                                     std::chrono::nanoseconds used) {
  if (!is_limited()) return std::nullopt;
  // A period that went by unfinished, because others had the processor, leaves no credit. What was
  // used since the last call counts in the new one.
  if (!period_start_ || now >= *period_start_ + kPeriod) {
    period_start_ = now;
    used_at_start_ = used_;
  }
  used_ = used;
  const std::chrono::nanoseconds budget =
      std::chrono::duration_cast<std::chrono::nanoseconds>(kPeriod) * percent_ / 100;
  if (used - used_at_start_ < budget) return std::nullopt;
  return *period_start_ + kPeriod;
}

}  // namespace eventchain::mining
