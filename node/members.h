#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "chain/genesis.h"
#include "consensus/types.h"

namespace eventchain::node {

// The member list as the core uses it, and which members are linked now. Owned by the core.
// Invariant: a member's Raft server id is its slot + 1.
class Members {
 public:
  Members(const chain::Genesis& genesis, chain::NodeId self);

  [[nodiscard]] const std::vector<chain::Member>& all() const { return members_; }
  [[nodiscard]] const chain::Member& self() const { return members_[self_]; }
  [[nodiscard]] chain::NodeId self_id() const { return self().node; }
  [[nodiscard]] consensus::ServerId self_server() const;

  [[nodiscard]] const chain::Member* find(const chain::NodeId& node) const;
  [[nodiscard]] std::optional<consensus::ServerId> server_of(const chain::NodeId& node) const;
  [[nodiscard]] std::optional<chain::NodeId> node_of(consensus::ServerId server) const;
  [[nodiscard]] consensus::Configuration configuration() const;
  [[nodiscard]] std::size_t majority() const { return members_.size() / 2 + 1; }

  void link_up(const chain::NodeId& peer) { linked_.insert(peer); }
  void link_down(const chain::NodeId& peer) { linked_.erase(peer); }
  [[nodiscard]] bool is_linked(const chain::NodeId& peer) const { return linked_.contains(peer); }
  // In member order, without this node.
  [[nodiscard]] std::vector<chain::NodeId> linked() const;

 private:
  std::vector<chain::Member> members_;  // constant after construction; by slot
  std::size_t self_ = 0;
  std::set<chain::NodeId> linked_;
};

}  // namespace eventchain::node
