#include "node/members.h"

#include <algorithm>
#include <utility>

namespace eventchain::node {

consensus::ServerId server_of(const chain::NodeId& node) {
  return consensus::ServerId{chain::raft_id(node)};
}

consensus::Configuration first_configuration(const chain::Genesis& genesis) {
  consensus::Configuration configuration;
  for (const auto& member : genesis.voters)
    configuration.push_back({server_of(member.node), consensus::Suffrage::kVoter});
  std::ranges::sort(configuration, {}, &consensus::Server::id);
  return configuration;
}

Members::Members(chain::MembersRef set, chain::NodeId self, std::uint16_t level)
    : self_(self), level_(level) {
  update(std::move(set));
}

void Members::update(chain::MembersRef set) {
  set_ = std::move(set);
  places_.clear();
  voters_.clear();
  for (std::size_t place = 0; place < set_->members.size(); ++place) {
    const chain::Member& member = set_->members[place];
    places_.emplace(member.node, place);
    if (member.role == chain::MemberRole::kVoter) voters_.push_back(member.node);
  }
}

const chain::Member* Members::find(const chain::NodeId& node) const {
  const auto place = places_.find(node);
  return place == places_.end() ? nullptr : &set_->members[place->second];
}

std::optional<chain::NodeId> Members::node_of(consensus::ServerId server) const {
  for (const auto& member : set_->members)
    if (server_of(member.node) == server) return member.node;
  for (const auto& [node, level] : linked_)
    if (server_of(node) == server) return node;
  return std::nullopt;
}

bool Members::is_voter(const chain::NodeId& node) const {
  return std::ranges::find(voters_, node) != voters_.end();
}

std::optional<std::uint16_t> Members::level_of(const chain::NodeId& node) const {
  if (node == self_) return level_;
  const auto linked = linked_.find(node);
  return linked == linked_.end() ? std::nullopt : std::optional(linked->second);
}

bool Members::is_in_raft(const chain::NodeId& node) const {
  const chain::Member* member = find(node);
  return member != nullptr &&
         (member->role == chain::MemberRole::kVoter || member->role == chain::MemberRole::kStandby);
}

bool Members::is_light(const chain::NodeId& node) const {
  const chain::Member* member = find(node);
  return member != nullptr && member->role == chain::MemberRole::kLight;
}

std::vector<chain::NodeId> Members::linked() const {
  std::vector<chain::NodeId> nodes;
  for (const auto& voter : voters_)
    if (linked_.contains(voter)) nodes.push_back(voter);
  for (const auto& observer : linked_observers()) nodes.push_back(observer);
  for (const auto& [node, level] : linked_)
    if (!places_.contains(node)) nodes.push_back(node);
  return nodes;
}

std::vector<chain::NodeId> Members::linked_observers() const {
  std::vector<chain::NodeId> nodes;
  for (const auto& member : set_->members)
    if (member.role != chain::MemberRole::kVoter && member.role != chain::MemberRole::kLight &&
        linked_.contains(member.node))
      nodes.push_back(member.node);
  return nodes;
}

bool Members::has_linked_observers() const {
  return std::ranges::any_of(linked_, [this](const auto& one) {
    const chain::Member* member = find(one.first);
    return member != nullptr && member->role != chain::MemberRole::kVoter &&
           member->role != chain::MemberRole::kLight;
  });
}

std::vector<chain::NodeId> Members::linked_light() const {
  std::vector<chain::NodeId> nodes;
  for (const auto& [node, level] : linked_)
    if (is_light(node)) nodes.push_back(node);
  return nodes;
}

std::vector<chain::NodeId> Members::linked_all() const {
  std::vector<chain::NodeId> nodes = linked();
  for (const auto& node : linked_light()) nodes.push_back(node);
  return nodes;
}

}  // namespace eventchain::node
