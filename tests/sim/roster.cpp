#include "tests/sim/roster.h"

#include <fmt/format.h>

#include "tests/sim/draws.h"

namespace eventchain::sim {

Roster::Roster(const chain::Genesis& genesis, std::size_t joiners, chain::Rng rng)
    : seeds_(genesis.voters.size()) {
  for (const chain::Member& voter : genesis.voters) machines_.push_back({voter, {}});
  for (std::size_t i = 0; i < joiners; ++i) {
    Machine machine;
    machine.member.node = draw_octets<chain::NodeId>(rng);
    machine.member.signing_key = draw_octets<chain::PublicKey>(rng);
    machine.member.store = draw_octets<chain::StoreId>(rng);
    machine.member.name = fmt::format("n{}", machines_.size());
    machine.token = draw_octets<chain::JoinToken>(rng);
    machines_.push_back(std::move(machine));
  }
}

std::optional<std::size_t> Roster::find(const chain::NodeId& node) const {
  for (std::size_t host = 0; host < size(); ++host)
    if (machines_[host].member.node == node) return host;
  return std::nullopt;
}

std::vector<std::size_t> Roster::members(const chain::MemberSet& set) const {
  std::vector<std::size_t> hosts;
  for (std::size_t host = 0; host < size(); ++host)
    if (chain::find_member(set, node(host)) != nullptr) hosts.push_back(host);
  return hosts;
}

std::vector<std::size_t> Roster::voters(const chain::MemberSet& set) const {
  std::vector<std::size_t> hosts;
  for (const std::size_t host : members(set))
    if (chain::find_member(set, node(host))->role == chain::MemberRole::kVoter)
      hosts.push_back(host);
  return hosts;
}

}  // namespace eventchain::sim
