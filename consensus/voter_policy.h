#pragma once

#include <chrono>
#include <map>
#include <optional>

#include "chain/member_orders.h"

namespace eventchain::consensus {

// What the leader knows of a member besides its record.
struct MemberHealth {
  bool is_linked = false;
  bool is_caught_up = false;  // holds the chain and Raft's log, but for what is under way
  std::chrono::milliseconds away_for{0};  // without a link, as this leader saw it
  bool is_too_old = false;                // its program cannot do the cluster's feature level
};

// The next single step towards the voters that the policy wants, or nothing: pure, so that every
// leader would do the same. Lost voters are replaced after the grace time: first one more voter,
// then one less, so that the number of copies never falls while a replacement can be had. Who
// becomes a voter is the standby (else the observer) whose site has the fewest voters; who stops
// being one is a lost voter, else one of the fullest site, and never the leader itself.
//
// `self` leads. Nothing happens without a majority of voters that are linked after the step.
std::optional<chain::SetRole> next_voter_step(const chain::MemberSet& set,
                                              const std::map<chain::NodeId, MemberHealth>& health,
                                              const chain::NodeId& self);

}  // namespace eventchain::consensus
