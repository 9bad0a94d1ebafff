#include "tests/sim/sparse_mesh.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/sim/draws.h"

namespace eventchain::sim {

namespace {

using std::chrono::milliseconds;

// A connection and its handshake.
constexpr milliseconds kDialMin{5};
constexpr milliseconds kDialMax{50};

std::pair<std::size_t, std::size_t> pair_of(std::size_t a, std::size_t b) {
  return std::minmax(a, b);
}

}  // namespace

SparseMesh::SparseMesh(const Roster& roster, Network& network, Scheduler& scheduler,
                       const chain::MembersRef& first, chain::Rng rng)
    : roster_(roster), network_(network), scheduler_(scheduler), rng_(rng), nodes_(roster.size()) {
  for (Node& node : nodes_) {
    node.applied = first;
    for (std::size_t host = 0; host < roster.size() && roster.is_seed(host); ++host)
      node.seeds.insert(roster.node(host));
  }
}

void SparseMesh::knows(std::size_t host, const chain::MembersRef& applied, chain::Height as_of,
                       const std::vector<chain::NodeId>& leaving) {
  Node& node = nodes_[host];
  node.applied = applied;
  node.as_of = as_of;
  node.leaving = leaving;
  if (node.book) take_table(host);
}

void SparseMesh::is_told(std::size_t host, const chain::MemberSet& seeds) {
  Node& node = nodes_[host];
  for (const chain::Member& member : seeds.members) node.seeds.insert(member.node);
  if (node.book) take_table(host);
}

std::vector<Linking::Refusing> SparseMesh::refusing(std::size_t host) const {
  std::vector<Refusing> found;
  for (const chain::NodeId& allowed : nodes_[host].allowed) {
    const std::size_t peer = *roster_.find(allowed);
    if (nodes_[peer].book && !nodes_[peer].allowed.contains(roster_.node(host)))
      found.push_back({peer, nodes_[peer].as_of});
  }
  return found;
}

void SparseMesh::node_up(std::size_t host) {
  Node& node = nodes_[host];
  ++node.life;
  node.book.emplace(roster_.node(host), net::PeerRules{},
                    rng_.fork(fmt::format("{} {}", host, node.life)));
  take_table(host);
}

void SparseMesh::node_down(std::size_t host) {
  Node& node = nodes_[host];
  ++node.life;
  node.book.reset();
  node.links.clear();
}

// As node::Neighbours makes it, and every host has an address.
net::PeerTable SparseMesh::table_of(std::size_t host) const {
  const Node& node = nodes_[host];
  const chain::MemberSet& set = *node.applied;
  net::PeerTable table;
  std::set<chain::NodeId> named{roster_.node(host)};
  const chain::Member* self = chain::find_member(set, roster_.node(host));
  table.self_is_voter = self != nullptr && self->role == chain::MemberRole::kVoter;
  for (const chain::Member& member : set.members) {
    if (!named.insert(member.node).second) continue;
    table.peers.push_back(
        {member.node, "host", 1, member.role == chain::MemberRole::kVoter, member.site});
  }
  if (self == nullptr)
    for (const chain::NodeId& seed : node.seeds)
      if (named.insert(seed).second) table.peers.push_back({seed, "host", 1, false, ""});
  for (const chain::NodeId& gone : node.leaving)
    if (named.insert(gone).second) table.peers.push_back({gone, "", 0, false, ""});
  return table;
}

void SparseMesh::take_table(std::size_t host) {
  Node& node = nodes_[host];
  const net::PeerTable table = table_of(host);
  node.allowed.clear();
  for (const net::Peer& peer : table.peers) node.allowed.insert(peer.node);
  node.book->set_table(table);
  for (const auto& [peer, is_own] : node.links)
    if (!node.allowed.contains(roster_.node(peer))) network_.break_link(host, peer);
  replan(host);
}

void SparseMesh::replan(std::size_t host) {
  Node& node = nodes_[host];
  const net::PeerBook::Plan plan = node.book->next(scheduler_.now());
  for (const net::Peer& peer : plan.dial) {
    const std::size_t to = *roster_.find(peer.node);
    scheduler_.after(draw_span(rng_, kDialMin, kDialMax), [this, host, to, life = node.life] {
      if (life == nodes_[host].life) arrive(host, to);
    });
  }
  for (const chain::NodeId& gone : plan.hang_up) network_.break_link(host, *roster_.find(gone));
  const std::uint64_t number = ++node.plan;
  if (!plan.ask_again) return;
  scheduler_.at(*plan.ask_again, [this, host, number, life = node.life] {
    if (life == nodes_[host].life && number == nodes_[host].plan) replan(host);
  });
}

bool SparseMesh::is_reachable(std::size_t from, std::size_t to) const {
  return nodes_[to].book.has_value() && !network_.is_cut(from, to) && !network_.is_cut(to, from);
}

void SparseMesh::arrive(std::size_t from, std::size_t to) {
  const std::uint64_t life = nodes_[from].life;
  if (!is_reachable(from, to)) {
    scheduler_.after(net::limits::kHandshakeTimeout, [this, from, to, life] {
      if (life == nodes_[from].life) fail(from, to, net::DialFailure::kUnreachable);
    });
    return;
  }
  // One of the two has not noticed yet that the last link between them is gone.
  if (network_.ready_at(from, to) > scheduler_.now()) {
    scheduler_.at(network_.ready_at(from, to), [this, from, to, life] {
      if (life == nodes_[from].life) arrive(from, to);
    });
    return;
  }
  const bool lets_in = nodes_[to].allowed.contains(roster_.node(from)) &&
                       nodes_[from].allowed.contains(roster_.node(to)) &&
                       nodes_[to].book->has_room_for(roster_.node(from));
  // Of two dials that cross the first one becomes the link.
  if (!lets_in || !network_.may_join(from, to)) return fail(from, to, net::DialFailure::kRefused);
  dialler_[pair_of(from, to)] = from;
  network_.join(from, to);
}

void SparseMesh::fail(std::size_t from, std::size_t to, net::DialFailure failure) {
  const bool is_crossing = network_.is_up(from, to);
  if (!is_crossing) ++(failure == net::DialFailure::kRefused ? refused_ : unreachable_);
  nodes_[from].book->dial_failed(roster_.node(to), failure, scheduler_.now());
  replan(from);
}

void SparseMesh::link_up(std::size_t at, std::size_t peer) {
  Node& node = nodes_[at];
  const bool is_own = dialler_.at(pair_of(at, peer)) == at;
  node.links[peer] = is_own;
  node.book->link_up(roster_.node(peer), is_own ? net::Origin::kDialled : net::Origin::kAccepted,
                     scheduler_.now());
  replan(at);
}

void SparseMesh::link_down(std::size_t at, std::size_t peer) {
  Node& node = nodes_[at];
  if (!node.book || node.links.erase(peer) == 0) return;
  node.book->link_down(roster_.node(peer), scheduler_.now());
  replan(at);
}

}  // namespace eventchain::sim
