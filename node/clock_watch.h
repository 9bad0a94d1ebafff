#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>

#include "chain/types.h"

namespace eventchain::node {

// How far this node's wall clock and the leader's are apart, by the stamps on the leader's
// templates. Nothing is decided by wall clocks, and nothing is refused here: a wrong clock is a
// wrong date on events and blocks for ever, so people must hear of it.
//
// A template takes time to come, and one that is shown again is old. So a stamp from the future
// says all by itself that the clocks are apart, while stamps from the past do so only together: of
// the newest kSamples of one leader the youngest counts, and there must be kSamplesMin. Owned by
// the node's core. Pure.
class ClockWatch {
 public:
  static constexpr std::chrono::milliseconds kApartMax{2000};
  static constexpr std::chrono::seconds kToldEvery{60};
  static constexpr std::size_t kSamples = 8;
  static constexpr std::size_t kSamplesMin = 3;

  // Each template of the leader once. The alarm, if people are to hear it now.
  std::optional<std::string> stamped(const chain::NodeId& leader, chain::UnixMillis stamp,
                                     const chain::Now& now);
  // The leader's clock less this one's; nothing while that cannot be told.
  [[nodiscard]] std::optional<std::chrono::milliseconds> ahead() const;

 private:
  std::optional<chain::NodeId> leader_;
  std::deque<std::chrono::milliseconds> samples_;  // stamp less this clock, in order of arrival
  std::optional<chain::Instant> told_at_;
};

}  // namespace eventchain::node
