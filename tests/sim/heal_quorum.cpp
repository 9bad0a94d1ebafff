#include "tests/sim/heal_quorum.h"

#include <algorithm>

#include "tests/sim/demands.h"

namespace eventchain::sim {

namespace {

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

}  // namespace

void heal_quorum(Cluster& cluster, chain::Rng& rng) {
  const std::vector<std::size_t> voters = cluster.voters();
  std::vector<std::size_t> quorum = cluster.members();  // may need one that is no voter any more
  for (auto rest = dispensable(cluster, quorum); !rest.empty(); rest = dispensable(cluster, quorum))
    std::erase(quorum, rest[rng.below(rest.size())]);
  std::vector<std::size_t> core = quorum;
  for (const std::size_t node : cluster.members())
    if (!contains(voters, node) && !contains(quorum, node) && rng.chance(1, 2))
      core.push_back(node);
  const bool are_dead = rng.chance(1, 2);
  for (const std::size_t node : cluster.everybody()) {
    if (contains(core, node)) continue;
    cluster.trace().print("n{} is left behind", node);
    if (are_dead) cluster.kill(node);
  }
  cluster.split({core});
  cluster.heal(core);
  const auto healed = [&core] { return core; };
  demand_progress(cluster, healed, "of a healed quorum");
  demand_writes(cluster, healed, "in a healed quorum");
  std::erase_if(quorum, [&voters](std::size_t node) { return !contains(voters, node); });
  demand_reads(cluster, quorum);
}

}  // namespace eventchain::sim
