#pragma once

#include "net/messages.h"
#include "tests/sim/roster.h"

namespace eventchain::sim {

// What operators want of a host.
enum class OrderKind : std::uint8_t {
  kInviteStandby,
  kInviteObserver,
  kInviteLight,
  kAdmit,
  kPromote,  // to voter
  kDemote,   // to standby
  kObserve,  // to observer
  kRemove,
  kTransfer,  // leadership to it
  kPolicy,    // no host's: what the leader is to see to by itself
};
const char* to_string(OrderKind kind);

// The order as an operator writes it who knows the set `now`. Pre: no policy.
net::Order make_order(OrderKind kind, const Machine& machine, const chain::MemberSet& now);
net::Order make_policy(std::uint8_t wanted, std::uint32_t grace_ms);

}  // namespace eventchain::sim
