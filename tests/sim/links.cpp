#include "tests/sim/links.h"

namespace eventchain::sim {

namespace {

bool is_light(const chain::Member* member) {
  return member != nullptr && member->role == chain::MemberRole::kLight;
}

}  // namespace

Links::Links(const Roster& roster, Network& network, const chain::MembersRef& first)
    : roster_(roster),
      network_(network),
      applied_(roster.size(), first),
      as_of_(roster.size()),
      told_seeds_(roster.size()) {
  for (std::size_t host = 0; host < roster_.size(); ++host) reconsider(host);
}

void Links::knows(std::size_t host, const chain::MembersRef& applied, chain::Height as_of,
                  const std::vector<chain::NodeId>&) {
  as_of_[host] = as_of;
  if (applied_[host] == applied) return;
  applied_[host] = applied;
  reconsider(host);
}

void Links::is_told(std::size_t host, const chain::MemberSet& seeds) {
  for (const chain::Member& member : seeds.members) told_seeds_[host].insert(member.node);
  reconsider(host);
}

bool Links::lets_in(std::size_t host, std::size_t peer) const {
  const chain::MemberSet& set = *applied_[host];
  const chain::Member* self = chain::find_member(set, roster_.node(host));
  if (const chain::Member* member = chain::find_member(set, roster_.node(peer)))
    return !is_light(self) || !is_light(member);
  if (told_seeds_[host].contains(roster_.node(peer))) return true;
  return self == nullptr && roster_.is_seed(peer);
}

std::vector<Linking::Refusing> Links::refusing(std::size_t host) const {
  std::vector<Refusing> found;
  for (std::size_t peer = 0; peer < roster_.size(); ++peer)
    if (peer != host && lets_in(host, peer) && !lets_in(peer, host) &&
        chain::find_member(*applied_[peer], roster_.node(host)) == nullptr)
      found.push_back({peer, as_of_[peer]});
  return found;
}

void Links::reconsider(std::size_t host) {
  for (std::size_t peer = 0; peer < roster_.size(); ++peer)
    if (peer != host) network_.allow(host, peer, are_allowed(host, peer));
}

}  // namespace eventchain::sim
