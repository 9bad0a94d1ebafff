#include "node/conduct.h"

#include <algorithm>
#include <utility>

namespace eventchain::node {

bool Conduct::fault(const chain::NodeId& peer, Fault fault, std::string what, chain::Instant now) {
  Peer& one = peers_[peer];
  ++one.record.faults;
  one.record.last = std::move(what);
  // What it says now is not listened to; what it said before the link closed costs nothing more.
  if (is_shunned(peer, now)) return false;
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - one.as_of);
  const auto faded =
      static_cast<std::uint64_t>(std::max<std::int64_t>(passed.count(), 0)) * kFadePerSecond / 1000;
  // What has not faded by a whole point fades later.
  if (faded > 0 || one.points == 0) one.as_of = now;
  one.points -= static_cast<std::uint32_t>(std::min<std::uint64_t>(faded, one.points));
  one.points += static_cast<std::uint32_t>(fault);
  if (one.points < kPointsMax) return false;
  one.points = 0;
  one.record.shunned_until = now + kShunFor;
  return true;
}

bool Conduct::is_shunned(const chain::NodeId& peer, chain::Instant now) const {
  const Record* record = find(peer);
  return record != nullptr && record->shunned_until && now < *record->shunned_until;
}

const Conduct::Record* Conduct::find(const chain::NodeId& peer) const {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? nullptr : &found->second.record;
}

}  // namespace eventchain::node
