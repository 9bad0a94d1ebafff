#include "node/members.h"

#include "chain/result.h"

namespace eventchain::node {

namespace {
consensus::ServerId server_id(chain::Slot slot) {
  return consensus::ServerId{static_cast<std::uint64_t>(slot.value) + 1};
}
}  // namespace

Members::Members(const chain::Genesis& genesis, chain::NodeId self) : members_(genesis.voters) {
  bool found = false;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].node == self) {
      self_ = i;
      found = true;
    }
  }
  EC_ASSERT(found, "the configuration check lets no node start that genesis does not name");
}

consensus::ServerId Members::self_server() const {
  return server_id(self().slot);
}

const chain::Member* Members::find(const chain::NodeId& node) const {
  for (const auto& member : members_)
    if (member.node == node) return &member;
  return nullptr;
}

std::optional<consensus::ServerId> Members::server_of(const chain::NodeId& node) const {
  const chain::Member* member = find(node);
  if (member == nullptr) return std::nullopt;
  return server_id(member->slot);
}

std::optional<chain::NodeId> Members::node_of(consensus::ServerId server) const {
  for (const auto& member : members_)
    if (server_id(member.slot) == server) return member.node;
  return std::nullopt;
}

consensus::Configuration Members::configuration() const {
  consensus::Configuration configuration;
  for (const auto& member : members_)
    configuration.push_back({server_id(member.slot), consensus::Suffrage::kVoter});
  return configuration;
}

std::vector<chain::NodeId> Members::linked() const {
  std::vector<chain::NodeId> nodes;
  for (const auto& member : members_)
    if (linked_.contains(member.node)) nodes.push_back(member.node);
  return nodes;
}

}  // namespace eventchain::node
