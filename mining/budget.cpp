#include "mining/budget.h"

#include <algorithm>

#include "chain/result.h"

namespace eventchain::mining {
namespace {

constexpr std::int64_t kPeriodNanoseconds =
    std::chrono::nanoseconds(ProcessorBudget::kPeriod).count();

// One word carries both, so that threads can charge without a lock: 24 bits of the period's number,
// which wraps after nine days, and 40 bits of nanoseconds, 18 minutes.
constexpr unsigned kUsedBits = 40;
constexpr std::int64_t kUsedMax = (std::int64_t{1} << kUsedBits) - 1;
constexpr std::int64_t kPeriods = std::int64_t{1} << 24;

constexpr std::uint64_t pack(std::int64_t period, std::int64_t used) {
  return static_cast<std::uint64_t>(period) << kUsedBits | static_cast<std::uint64_t>(used);
}

}  // namespace

void ProcessorBudget::allow(std::optional<std::chrono::nanoseconds> per_period) {
  EC_ASSERT(!per_period || per_period->count() > 0, "a budget of nothing is a stop");
  per_period_ = per_period ? per_period->count() : 0;
}

bool ProcessorBudget::is_limited() const {
  return per_period_.load(std::memory_order_relaxed) != 0;
}

std::optional<chain::Instant> ProcessorBudget::charge(chain::Instant now,
                                                      std::chrono::nanoseconds used) {
  const std::int64_t budget = per_period_.load(std::memory_order_relaxed);
  const std::int64_t number = now.since_start.count() / kPeriodNanoseconds;
  std::uint64_t before = spent_.load();
  std::int64_t total = 0;
  std::int64_t passed = 0;
  std::uint64_t after = 0;
  do {
    const auto period = static_cast<std::int64_t>(before >> kUsedBits);
    const std::int64_t spent = static_cast<std::int64_t>(before) & kUsedMax;
    passed = (number % kPeriods - period + kPeriods) % kPeriods;
    // A thread that was held up between reading the clock and this line comes with an old time.
    if (passed >= kPeriods / 2) passed = 0;
    const std::int64_t debt = std::max<std::int64_t>(0, spent - passed * budget);
    total =
        std::min(kUsedMax, (passed == 0 ? spent : debt) + std::max<std::int64_t>(0, used.count()));
    after = pack((period + passed) % kPeriods, total);
  } while (!spent_.compare_exchange_weak(before, after));
  if (budget == 0 || total < budget) return std::nullopt;
  return chain::Instant{std::chrono::nanoseconds((number + total / budget) * kPeriodNanoseconds)};
}

}  // namespace eventchain::mining
