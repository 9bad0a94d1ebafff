#include "node/clock_watch.h"

#include <fmt/format.h>

#include <algorithm>

namespace eventchain::node {

namespace {

// Stamps come from outside and may lie anywhere. A century is as wrong as any more.
constexpr std::int64_t kFarMs = 100LL * 366 * 24 * 3600 * 1000;

std::chrono::milliseconds difference(chain::UnixMillis stamp, chain::UnixMillis own) {
  if (stamp.value > 0 && own.value < stamp.value - kFarMs) return std::chrono::milliseconds(kFarMs);
  if (stamp.value < 0 || stamp.value < own.value - kFarMs)
    return std::chrono::milliseconds(-kFarMs);
  return std::chrono::milliseconds(stamp.value - own.value);
}

}  // namespace

std::optional<std::string> ClockWatch::stamped(const chain::NodeId& leader, chain::UnixMillis stamp,
                                               const chain::Now& now) {
  if (leader_ != leader) {
    leader_ = leader;
    samples_.clear();
  }
  samples_.push_back(difference(stamp, now.wall));
  if (samples_.size() > kSamples) samples_.pop_front();
  const auto apart = ahead();
  if (!apart || std::chrono::abs(*apart) <= kApartMax) return std::nullopt;
  if (told_at_ && now.steady - *told_at_ < kToldEvery) return std::nullopt;
  told_at_ = now.steady;
  return fmt::format(
      "the leader's clock and this node's are apart leader_ahead_ms={}; one of the two is wrong: "
      "check time synchronisation on both hosts",
      apart->count());
}

std::optional<std::chrono::milliseconds> ClockWatch::ahead() const {
  if (samples_.empty()) return std::nullopt;
  const auto youngest = *std::ranges::max_element(samples_);
  if (youngest <= kApartMax && samples_.size() < kSamplesMin) return std::nullopt;
  return youngest;
}

}  // namespace eventchain::node
