#include "node/neighbours.h"

#include <algorithm>
#include <string>
#include <utility>

namespace eventchain::node {

Neighbours::Neighbours(chain::NodeId self, const std::vector<PeerConfig>& seeds, bool is_light)
    : self_(self), is_light_(is_light) {
  for (const PeerConfig& seed : seeds) seeds_.emplace(seed.node, seed.address);
}

net::PeerTable Neighbours::table(const chain::MemberSet& members, chain::Height as_of,
                                 const std::vector<chain::NodeId>& leaving) {
  net::PeerTable table;
  table.as_of = as_of;
  const chain::Member* self = chain::find_member(members, self_);
  table.self_is_voter = self != nullptr && self->role == chain::MemberRole::kVoter;
  for (const chain::Member& member : members.members) {
    if (member.node == self_) continue;
    const bool is_light = member.role == chain::MemberRole::kLight;
    if (is_light && is_light_) continue;
    net::Peer peer{member.node, "", 0, member.role == chain::MemberRole::kVoter, member.site};
    peer.valid_from = member.valid_from;
    peer.valid_until = member.valid_until;
    const auto seed = seeds_.find(member.node);
    const bool is_seed = seed != seeds_.end();
    if (is_seed) named_.insert(member.node);
    auto address =
        is_seed ? chain::Result<HostPort>(seed->second) : parse_host_port(member.peers_address);
    if (address && !is_light) {  // without one it dials us
      peer.host = std::move(address->host);
      peer.port = address->port;
    }
    table.peers.push_back(std::move(peer));
  }
  for (const auto& [node, address] : seeds_) {
    if (chain::find_member(members, node) != nullptr) continue;
    if (self != nullptr && named_.contains(node)) continue;  // it was removed
    table.peers.push_back({node, address.host, address.port, false, ""});
  }
  for (const chain::NodeId& node : leaving)
    if (std::ranges::find(table.peers, node, &net::Peer::node) == table.peers.end())
      table.peers.push_back({node, "", 0, false, ""});
  return table;
}

}  // namespace eventchain::node
