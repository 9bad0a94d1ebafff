#pragma once

#include <set>
#include <vector>

#include "tests/sim/network.h"
#include "tests/sim/roster.h"

namespace eventchain::sim {

// Who is linked with whom, told by the cluster what the hosts know.
class Linking {
 public:
  // Who does not know a host as a member, as of which block.
  struct Refusing {
    std::size_t peer;
    chain::Height as_of;
  };

  virtual ~Linking() = default;
  // The newest set that a host has applied: at its start, and when a block has changed it.
  // `leaving` were just removed, and may stay linked for now.
  virtual void knows(std::size_t host, const chain::MembersRef& applied, chain::Height as_of,
                     const std::vector<chain::NodeId>& leaving) = 0;
  // An operator names these members to it.
  virtual void is_told(std::size_t host, const chain::MemberSet& seeds) = 0;
  // Whom the host would dial in vain: it would be told why.
  [[nodiscard]] virtual std::vector<Refusing> refusing(std::size_t host) const = 0;
  // Its node runs, or runs no more.
  virtual void node_up(std::size_t) {}
  virtual void node_down(std::size_t) {}
  // What one end has noticed.
  virtual void link_up(std::size_t, std::size_t) {}
  virtual void link_down(std::size_t, std::size_t) {}
};

// All to all: who lets whom in, as the mesh of a real node decides it: a node is linked to members
// of the newest set that it has applied, and each of the two must think so of the other; two light
// members are not. A node that is no member by what it knows itself has been told whom to dial,
// with its invitation: the seeds. The voters of genesis are seeds of everybody.
class Links : public Linking {
 public:
  Links(const Roster& roster, Network& network, const chain::MembersRef& first);

  void knows(std::size_t host, const chain::MembersRef& applied, chain::Height as_of,
             const std::vector<chain::NodeId>& leaving) override;
  void is_told(std::size_t host, const chain::MemberSet& seeds) override;
  [[nodiscard]] std::vector<Refusing> refusing(std::size_t host) const override;

  [[nodiscard]] bool are_allowed(std::size_t a, std::size_t b) const {
    return lets_in(a, b) && lets_in(b, a);
  }

 private:
  [[nodiscard]] bool lets_in(std::size_t host, std::size_t peer) const;
  void reconsider(std::size_t host);

  const Roster& roster_;
  Network& network_;
  std::vector<chain::MembersRef> applied_;           // by host
  std::vector<chain::Height> as_of_;                 // likewise: when it was told
  std::vector<std::set<chain::NodeId>> told_seeds_;  // beyond the voters of genesis
};

}  // namespace eventchain::sim
