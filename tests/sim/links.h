#pragma once

#include <set>
#include <vector>

#include "tests/sim/network.h"
#include "tests/sim/roster.h"

namespace eventchain::sim {

// Who lets whom in, as the mesh of a real node decides it: a node is linked to members of the
// newest set that it has applied, and each of the two must think so of the other. A node that is no
// member by what it knows itself has been told whom to dial, with its invitation: the seeds. The
// voters of genesis are seeds of everybody.
class Links {
 public:
  Links(const Roster& roster, Network& network, const chain::MembersRef& first);

  // The newest set that a host has applied: at its start, and when a block has changed it.
  void knows(std::size_t host, chain::MembersRef applied);
  // An operator names these members to it.
  void is_told(std::size_t host, const chain::MemberSet& seeds);

  [[nodiscard]] bool are_allowed(std::size_t a, std::size_t b) const {
    return lets_in(a, b) && lets_in(b, a);
  }

 private:
  [[nodiscard]] bool lets_in(std::size_t host, std::size_t peer) const;
  void reconsider(std::size_t host);

  const Roster& roster_;
  Network& network_;
  std::vector<chain::MembersRef> applied_;           // by host
  std::vector<std::set<chain::NodeId>> told_seeds_;  // beyond the voters of genesis
};

}  // namespace eventchain::sim
