// Who belongs to the cluster.

#include <algorithm>
#include <utility>

#include "node/members.h"
#include "tests/sim/cluster.h"
#include "tests/sim/draws.h"

namespace eventchain::sim {

namespace {

// A new node is set up before it is invited and waits to be let in.
constexpr std::chrono::milliseconds kStartMax{500};
// Who is refused dials again.
constexpr std::chrono::seconds kKnockEvery{2};

}  // namespace

std::vector<std::size_t> Cluster::members() const {
  return roster_.members(*membership_.newest());
}

std::vector<std::size_t> Cluster::voters() const {
  return roster_.voters(*membership_.newest());
}

bool Cluster::is_member(std::size_t node) const {
  return chain::find_member(*membership_.newest(), roster_.node(node)) != nullptr;
}

bool Cluster::is_majority(const chain::MemberSet& set, const HostTest& has) const {
  const auto voters = roster_.voters(set);
  const auto having =
      std::ranges::count_if(voters, [&](std::size_t voter) { return has(*hosts_[voter]); });
  return 2 * static_cast<std::size_t>(having) > voters.size();
}

bool Cluster::is_voter(std::size_t node) const {
  const chain::Member* member = chain::find_member(*membership_.newest(), roster_.node(node));
  return member != nullptr && member->role == chain::MemberRole::kVoter;
}

bool Cluster::raft_follows() const {
  std::vector<consensus::ServerId> wanted;
  for (const std::size_t voter : voters()) wanted.push_back(node::server_of(roster_.node(voter)));
  std::ranges::sort(wanted);
  // Who was left behind may still have a configuration of long ago that looks like the newest.
  consensus::LogIndex newest;
  for (const auto& host : hosts_)
    if (host->is_alive() && !host->is_light())
      newest = std::max(newest, host->core().replica().commit_index());
  return std::ranges::any_of(hosts_, [&wanted, newest](const auto& host) {
    if (!host->is_alive() || host->is_light()) return false;
    const auto& replica = host->core().replica();
    if (replica.commit_index() != newest || replica.last_index() != newest) return false;
    std::vector<consensus::ServerId> voting;
    for (const consensus::Server& server : replica.configuration())
      if (server.suffrage == consensus::Suffrage::kVoter) voting.push_back(server.id);
    std::ranges::sort(voting);
    return voting == wanted;
  });
}

bool Cluster::is_quorum(const std::vector<std::size_t>& nodes) const {
  const HostTest is_among = [&nodes](NodeHost& host) {
    return std::ranges::find(nodes, host.index()) != nodes.end();
  };
  if (!is_majority(*membership_.newest(), is_among)) return false;
  if (raft_follows()) return true;
  return std::ranges::all_of(
      membership_.raft_may_have(membership_.newest_height()),
      [&](const chain::MembersRef& set) { return is_majority(*set, is_among); });
}

// A node is set up when it is invited, and the invitation names its role.
bool Cluster::is_invited_as_light(std::size_t node) const {
  const chain::MemberSet& now = *membership_.newest();
  if (const chain::Member* member = chain::find_member(now, roster_.node(node)))
    return member->role == chain::MemberRole::kLight;
  return std::ranges::any_of(now.invitations, [&](const chain::Invitation& one) {
    return one.role == chain::MemberRole::kLight &&
           one.token_hash == chain::token_hash(roster_[node].token);
  });
}

void Cluster::start_admitted() {
  for (const std::size_t node : members()) {
    if (host(node).run() > 0) continue;
    scheduler_.after(draw_span(rng_, Span(0), kStartMax), [this, node] {
      if (host(node).run() > 0) return;
      links_->is_told(node, *membership_.newest());
      host(node).spare();  // what was meant for a node is not for the next one
      revive(node);
    });
  }
}

// Who is no member any more, and does not know it, is told so by whom it dials.
void Cluster::knock() {
  for (std::size_t node = 0; node < size(); ++node) {
    if (!host(node).is_alive()) continue;
    for (const Linking::Refusing& one : links_->refusing(node))
      if (host(one.peer).is_alive() && !network_.is_cut(node, one.peer) &&
          !network_.is_cut(one.peer, node))
        host(node).post(node::PeerRefused{roster_.node(one.peer), one.as_of});
  }
  scheduler_.after(kKnockEvery, [this] { knock(); });
}

}  // namespace eventchain::sim
