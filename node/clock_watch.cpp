#include "node/clock_watch.h"

#include <fmt/format.h>

#include <algorithm>

namespace eventchain::node {

namespace {

using std::chrono::milliseconds;

// What a clock shows comes from outside and may lie anywhere. A century is as wrong as any more.
constexpr milliseconds kFar{100LL * 366 * 24 * 3600 * 1000};
// Readings are cut to milliseconds, and clocks run a little fast or slow.
constexpr milliseconds kSlack{20};

milliseconds steady_of(const chain::Now& now) {
  return std::chrono::duration_cast<milliseconds>(now.steady.since_start);
}

// Never 0, which says that there is none.
milliseconds mark_at(const chain::Now& now) {
  return std::max(steady_of(now), milliseconds(0)) + milliseconds(1);
}

// This node's wall clock less its monotonic one: changes only when the wall clock is set.
milliseconds own_base(const chain::Now& now) {
  return milliseconds(now.wall.value) - steady_of(now);
}

milliseconds difference(chain::UnixMillis stamp, chain::UnixMillis own) {
  if (stamp.value > 0 && own.value < stamp.value - kFar.count()) return kFar;
  if (stamp.value < 0 || stamp.value < own.value - kFar.count()) return -kFar;
  return milliseconds(stamp.value - own.value);
}

}  // namespace

net::ClockSaid ClockWatch::say(const chain::NodeId& peer, const chain::Now& now) const {
  net::ClockSaid said{now.wall, mark_at(now)};
  const auto known = peers_.find(peer);
  if (known == peers_.end()) return said;
  const auto held = now.steady - known->second.marked_at;
  if (held.count() < 0 || held > kEchoFor) return said;
  said.echo = known->second.mark;
  said.echo_held = std::chrono::duration_cast<milliseconds>(held);
  return said;
}

void ClockWatch::heard(const chain::NodeId& peer, const net::ClockSaid& said,
                       const chain::Now& now) {
  Peer& known = peers_[peer];
  known.mark = said.mark;
  known.marked_at = now.steady;
  const milliseconds since = mark_at(now) - said.echo;
  // Nothing was said back; or what this node never said, or long ago; or that it was held for
  // longer than it was away.
  if (said.echo.count() == 0 || since.count() < 0 || since > kEchoFor || said.echo_held > since)
    return;
  const Sample sample{difference(said.wall, now.wall) + own_base(now), since - said.echo_held};
  if (!known.samples.empty()) {
    const Sample& counted = best(known.samples);
    const bool fits = sample.least <= counted.least + counted.delay + kSlack &&
                      counted.least <= sample.least + sample.delay + kSlack;
    if (!fits) known.samples.clear();
  }
  known.samples.push_back(sample);
  if (known.samples.size() > kSamples) known.samples.pop_front();
}

const ClockWatch::Sample& ClockWatch::best(const std::deque<Sample>& samples) {
  // Of equal ones the newest.
  return *std::min_element(
      samples.rbegin(), samples.rend(),
      [](const Sample& one, const Sample& other) { return one.delay < other.delay; });
}

std::optional<milliseconds> ClockWatch::ahead(const chain::NodeId& peer,
                                              const chain::Now& now) const {
  const auto known = peers_.find(peer);
  if (known == peers_.end() || known->second.samples.empty()) return std::nullopt;
  const Sample& sample = best(known->second.samples);
  const milliseconds least = sample.least - own_base(now);
  return std::clamp(milliseconds(0), least, least + sample.delay);
}

std::optional<std::string> ClockWatch::alarm(const chain::NodeId& leader, const chain::Now& now) {
  const auto apart = ahead(leader, now);
  if (!apart || std::chrono::abs(*apart) <= kApartMax) return std::nullopt;
  if (told_at_ && now.steady - *told_at_ < kToldEvery) return std::nullopt;
  told_at_ = now.steady;
  return fmt::format(
      "the leader's clock and this node's are apart leader_ahead_ms={}; one of the two is wrong: "
      "check time synchronisation on both hosts",
      apart->count());
}

}  // namespace eventchain::node
