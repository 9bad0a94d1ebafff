#include "tests/sim/heal_quorum.h"

#include <algorithm>

#include "tests/sim/demands.h"

namespace eventchain::sim {

namespace {

constexpr int kQuietElections = 10;

bool contains(const std::vector<std::size_t>& nodes, std::size_t node) {
  return std::ranges::find(nodes, node) != nodes.end();
}

// Those without any one of whom the others would still be a quorum.
std::vector<std::size_t> dispensable(const Cluster& cluster, const std::vector<std::size_t>& core) {
  std::vector<std::size_t> found;
  for (const std::size_t node : core) {
    std::vector<std::size_t> others = core;
    std::erase(others, node);
    if (cluster.is_quorum(others)) found.push_back(node);
  }
  return found;
}

consensus::Term newest_term(Cluster& cluster, const std::vector<std::size_t>& core) {
  consensus::Term newest;
  for (const std::size_t node : core)
    if (cluster.host(node).is_alive() && !cluster.host(node).is_light())
      newest = std::max(newest, cluster.host(node).core().replica().term());
  return newest;
}

// One voter stays linked with everybody, and half of the other links are cut. Who hears no leader
// must depose nobody; where no other voter has a majority within reach, the hub comes to lead.
// Pre: the core has come to rest, and Raft's configuration is what the blocks say; a hub that has
// not heard of its vote yet would not stand for election.
void thin_out(Cluster& cluster, const std::vector<std::size_t>& core, std::size_t hub,
              chain::Rng& rng) {
  cluster.trace().print("n{} becomes the hub", hub);
  for (const std::size_t a : core) {
    for (const std::size_t b : core) {
      if (a >= b || a == hub || b == hub || rng.chance(1, 2)) continue;
      cluster.network().cut(a, b);
      cluster.network().cut(b, a);
    }
  }
}

// Whether a majority may vote for it: all within its reach whose logs do not go on beyond its own.
bool is_electable(Cluster& cluster, std::size_t candidate, const std::vector<std::size_t>& core) {
  const auto last = [&cluster](std::size_t node) {
    return cluster.host(node).core().replica().last_index();
  };
  std::vector<std::size_t> for_it;
  for (const std::size_t node : core) {
    if (!cluster.host(node).is_alive() || cluster.host(node).is_light()) continue;
    const bool is_reached = node == candidate || !cluster.network().is_cut(node, candidate);
    if (is_reached && last(node) <= last(candidate)) for_it.push_back(node);
  }
  return cluster.is_quorum(for_it);
}

// A leader that loses its majority may write to its log in its last moment what the hub never gets.
// Then the hub's log is too short for the old leader's vote, and the old leader, who alone could be
// voted for, does not reach enough others: Raft has no way out of that, and none is demanded.
bool has_a_way_out(Cluster& cluster, const std::vector<std::size_t>& core) {
  cluster.run_for(kQuietElections * cluster.options().core.election_timeout);
  const std::vector<std::size_t> voters = cluster.voters();
  return std::ranges::any_of(core, [&](std::size_t node) {
    return contains(voters, node) && is_electable(cluster, node, core);
  });
}

void demand_same_term(Cluster& cluster, const std::vector<std::size_t>& core) {
  const consensus::Term before = newest_term(cluster, core);
  cluster.run_for(kQuietElections * cluster.options().core.election_timeout);
  const consensus::Term after = newest_term(cluster, core);
  if (before == after) return;
  throw Violation("I15", fmt::format("the term goes on from {} to {} around a hub: {}",
                                     before.value, after.value, cluster.describe()));
}

}  // namespace

void heal_quorum(Cluster& cluster, chain::Rng& rng) {
  const std::vector<std::size_t> voters = cluster.voters();
  std::vector<std::size_t> quorum =
      cluster.honest_members();  // may need one that is no voter any more
  for (auto rest = dispensable(cluster, quorum); !rest.empty(); rest = dispensable(cluster, quorum))
    std::erase(quorum, rest[rng.below(rest.size())]);
  std::vector<std::size_t> core = quorum;
  for (const std::size_t node : cluster.honest_members())
    if (!contains(voters, node) && !contains(quorum, node) && rng.chance(1, 2))
      core.push_back(node);
  const bool are_dead = rng.chance(1, 2);
  std::vector<std::size_t> linked = core;
  if (const auto liar = cluster.liar()) linked.push_back(*liar);
  for (const std::size_t node : cluster.everybody()) {
    if (contains(linked, node)) continue;
    cluster.trace().print("n{} is left behind", node);
    if (are_dead) cluster.kill(node);
  }
  cluster.split({linked});
  cluster.heal(linked);
  const auto healed = [&core] { return core; };
  demand_progress(cluster, healed, "of a healed quorum");
  demand_writes(cluster, healed, "in a healed quorum");
  std::erase_if(quorum, [&voters](std::size_t node) { return !contains(voters, node); });
  demand_reads(cluster, quorum);

  if (rng.chance(1, 2)) around_a_hub(cluster, core, rng.fork("hub"));
}

void around_a_hub(Cluster& cluster, const std::vector<std::size_t>& healed, chain::Rng rng) {
  std::vector<std::size_t> hubs = cluster.voters();
  std::erase_if(hubs, [&healed](std::size_t node) { return !contains(healed, node); });
  if (healed.size() < 3 || !cluster.raft_follows()) return;
  thin_out(cluster, healed, hubs[rng.below(hubs.size())], rng);
  if (!has_a_way_out(cluster, healed)) return cluster.heal(healed);
  const auto who = [&healed] { return healed; };
  demand_writes(cluster, who, "around a hub");
  demand_progress(cluster, who, "around a hub");
  demand_reads(cluster, hubs);
  demand_same_term(cluster, healed);
}

}  // namespace eventchain::sim
