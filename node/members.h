#pragma once

#include <map>
#include <optional>
#include <vector>

#include "chain/features.h"
#include "chain/genesis.h"
#include "chain/members.h"
#include "consensus/types.h"

namespace eventchain::node {

// The number by which Raft knows a node, member or not.
consensus::ServerId server_of(const chain::NodeId& node);
// The voters of genesis, with which Raft begins.
consensus::Configuration first_configuration(const chain::Genesis& genesis);

// The member set in force as the core uses it, and which nodes are linked now. Owned by the core.
// This node itself may be missing in the set: it has not applied the block that admits it, or it
// was removed. A linked peer may be missing for the same reasons.
class Members {
 public:
  // `level`: the highest feature level of this node's own program.
  Members(chain::MembersRef set, chain::NodeId self, std::uint16_t level = chain::kFeatureLevelMax);

  // A block has changed it.
  void update(chain::MembersRef set);

  [[nodiscard]] const chain::MemberSet& set() const { return *set_; }
  [[nodiscard]] const chain::MembersRef& set_ref() const { return set_; }
  [[nodiscard]] const std::vector<chain::Member>& all() const { return set_->members; }
  [[nodiscard]] chain::NodeId self_id() const { return self_; }
  [[nodiscard]] const chain::Member* self() const { return find(self_); }  // nullptr: no member
  [[nodiscard]] const chain::Member* find(const chain::NodeId& node) const;
  // Of members and linked nodes.
  [[nodiscard]] std::optional<chain::NodeId> node_of(consensus::ServerId server) const;

  // By slot.
  [[nodiscard]] const std::vector<chain::NodeId>& voters() const { return voters_; }
  [[nodiscard]] bool is_voter(const chain::NodeId& node) const;
  // A voter or a standby.
  [[nodiscard]] bool is_in_raft(const chain::NodeId& node) const;
  // Keeps headers only: it is told of tips, certificates and templates' headers, sends shares, and
  // has no part in anything else.
  [[nodiscard]] bool is_light(const chain::NodeId& node) const;
  [[nodiscard]] std::size_t majority() const { return voters_.size() / 2 + 1; }

  // `level`: what its program can do, as it says.
  void link_up(const chain::NodeId& peer, std::uint16_t level = 1) { linked_[peer] = level; }
  void link_down(const chain::NodeId& peer) { linked_.erase(peer); }
  [[nodiscard]] bool is_linked(const chain::NodeId& peer) const { return linked_.contains(peer); }
  // The highest feature level that its program can do; nullopt if it is not linked.
  [[nodiscard]] std::optional<std::uint16_t> level_of(const chain::NodeId& node) const;
  // All but light members. Voters first, each part in the order of slots; linked nodes that are no
  // members come last.
  [[nodiscard]] std::vector<chain::NodeId> linked() const;
  [[nodiscard]] std::vector<chain::NodeId> linked_light() const;
  // Full members without a vote, in the order of slots.
  [[nodiscard]] std::vector<chain::NodeId> linked_observers() const;
  [[nodiscard]] bool has_linked_observers() const;
  // Light members come last.
  [[nodiscard]] std::vector<chain::NodeId> linked_all() const;

 private:
  const chain::NodeId self_;
  const std::uint16_t level_;
  chain::MembersRef set_;
  std::map<chain::NodeId, std::size_t> places_;  // in the set
  std::vector<chain::NodeId> voters_;
  std::map<chain::NodeId, std::uint16_t> linked_;  // and what their programs can do
};

}  // namespace eventchain::node
