#pragma once

#include <algorithm>

#include "tests/sim/scheduler.h"

namespace eventchain::sim {

// A node's two clocks. The monotonic one starts anywhere with every run of the node and may be a
// little fast or slow; the wall clock is off by any amount and may jump.
class Clock {
 public:
  // Of a node that starts at `boot`.
  void restart(Time boot, chain::Instant shows, std::int64_t drift_permille) {
    boot_ = boot;
    shows_at_boot_ = shows;
    whole_permille_ = 1000 + drift_permille;
    permille_ = whole_permille_;
  }
  // From `now` on the monotonic clock runs at this part of its pace. Pre: 1..1000.
  void run_at_part(Time now, std::int64_t part) {
    shows_at_boot_ = at(now).steady;
    boot_ = now;
    permille_ = std::max<std::int64_t>(1, whole_permille_ / part);
  }
  [[nodiscard]] bool is_slow() const { return permille_ != whole_permille_; }
  void set_skew(std::int64_t milliseconds) { skew_ms_ = milliseconds; }

  [[nodiscard]] chain::Now at(Time time) const {
    const std::int64_t elapsed = (time - boot_).count();
    return {shows_at_boot_ + Span(elapsed / 1000 * permille_ + elapsed % 1000 * permille_ / 1000),
            {kWallAtStart + time.since_start.count() / 1'000'000 + skew_ms_}};
  }
  // The first moment at which the monotonic clock shows `instant` or more.
  [[nodiscard]] Time when(chain::Instant instant) const {
    const std::int64_t local = (instant - shows_at_boot_).count();
    if (local <= 0) return boot_;
    Time time = boot_ + Span(local / permille_ * 1000 + local % permille_ * 1000 / permille_);
    while (at(time).steady < instant) time = time + Span(1);
    return time;
  }

 private:
  static constexpr std::int64_t kWallAtStart = 1'750'000'000'000;

  Time boot_;  // or when the pace changed
  chain::Instant shows_at_boot_;
  std::int64_t whole_permille_ = 1000;  // with its drift
  std::int64_t permille_ = 1000;
  std::int64_t skew_ms_ = 0;
};

}  // namespace eventchain::sim
