#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "chain/genesis.h"
#include "chain/member_orders.h"
#include "chain/rng.h"

namespace eventchain::sim {

// One host as the cluster would know it: the voters of genesis first, then those who may join.
struct Machine {
  // The slot of one who joins is given to it with its admission, and the role by its invitation.
  chain::Member member;
  chain::JoinToken token;
};

// The failure domain of a host; none where there are no sites.
std::string site_of(std::size_t host, std::size_t sites);

// All hosts of a simulation, members or not. A host is its index; nothing here changes.
class Roster {
 public:
  Roster(const chain::Genesis& genesis, std::size_t joiners, chain::Rng rng, std::size_t sites = 0);

  [[nodiscard]] std::size_t size() const { return machines_.size(); }
  [[nodiscard]] const Machine& operator[](std::size_t host) const { return machines_[host]; }
  [[nodiscard]] const chain::NodeId& node(std::size_t host) const {
    return machines_[host].member.node;
  }
  [[nodiscard]] bool is_seed(std::size_t host) const { return host < seeds_; }
  // nullopt: none of ours.
  [[nodiscard]] std::optional<std::size_t> find(const chain::NodeId& node) const;
  // The hosts that have a vote in this set.
  [[nodiscard]] std::vector<std::size_t> voters(const chain::MemberSet& set) const;
  [[nodiscard]] std::vector<std::size_t> members(const chain::MemberSet& set) const;

 private:
  std::vector<Machine> machines_;
  std::unordered_map<chain::NodeId, std::size_t, chain::FixedBytesHash> hosts_;
  std::size_t seeds_ = 0;
};

}  // namespace eventchain::sim
