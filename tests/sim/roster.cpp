#include "tests/sim/roster.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/sim/draws.h"

namespace eventchain::sim {

std::string site_of(std::size_t host, std::size_t sites) {
  return sites == 0 ? std::string() : fmt::format("site{}", host % sites);
}

Roster::Roster(const chain::Genesis& genesis, std::size_t joiners, chain::Rng rng,
               std::size_t sites)
    : seeds_(genesis.voters.size()) {
  for (const chain::Member& voter : genesis.voters) machines_.push_back({voter, {}});
  for (std::size_t i = 0; i < joiners; ++i) {
    Machine machine;
    machine.member.node = draw_octets<chain::NodeId>(rng);
    machine.member.signing_key = draw_octets<chain::PublicKey>(rng);
    machine.member.store = draw_octets<chain::StoreId>(rng);
    machine.member.name = fmt::format("n{}", machines_.size());
    machine.member.site = site_of(machines_.size(), sites);
    machine.token = draw_octets<chain::JoinToken>(rng);
    machines_.push_back(std::move(machine));
  }
  for (std::size_t host = 0; host < size(); ++host) hosts_.emplace(node(host), host);
}

std::optional<std::size_t> Roster::find(const chain::NodeId& node) const {
  const auto found = hosts_.find(node);
  if (found == hosts_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::size_t> Roster::members(const chain::MemberSet& set) const {
  std::vector<std::size_t> hosts;
  for (const chain::Member& member : set.members)
    if (const auto host = find(member.node)) hosts.push_back(*host);
  std::ranges::sort(hosts);
  return hosts;
}

std::vector<std::size_t> Roster::voters(const chain::MemberSet& set) const {
  std::vector<std::size_t> hosts;
  for (const chain::Member& member : set.members)
    if (member.role == chain::MemberRole::kVoter)
      if (const auto host = find(member.node)) hosts.push_back(*host);
  std::ranges::sort(hosts);
  return hosts;
}

}  // namespace eventchain::sim
