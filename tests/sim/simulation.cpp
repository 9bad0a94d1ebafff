#include "tests/sim/simulation.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "tests/sim/draws.h"

namespace eventchain::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

bool contains(const std::vector<std::size_t>& nodes, std::size_t node) {
  return std::ranges::find(nodes, node) != nodes.end();
}

ClusterOptions draw_cluster(std::uint64_t seed) {
  chain::Rng rng = chain::Rng(seed).fork("options");
  ClusterOptions options;
  options.seed = seed;
  const std::uint64_t size = rng.below(10);
  options.nodes = size == 0 ? 1 : size < 7 ? 3 : 5;
  options.share_count = static_cast<std::uint16_t>(1 + rng.below(rng.chance(1, 2) ? 4 : 16));
  options.interval_ms = static_cast<std::uint32_t>(rng.between(200, 2000));
  options.heartbeat_ms = static_cast<std::uint32_t>(rng.between(1000, 6000));
  if (rng.chance(1, 4)) options.heartbeat_ms = 0;
  if (rng.chance(1, 3)) options.block_events_max = static_cast<std::uint32_t>(1 + rng.below(20));
  options.hashes_per_share = 8 + rng.below(24);

  node::CoreOptions& core = options.core;
  core.election_timeout = milliseconds(rng.between(300, 1200));
  core.heartbeat_interval = core.election_timeout / rng.between(5, 10);
  if (rng.chance(1, 2)) {
    core.snapshot_every = 2 + rng.below(10);
    core.snapshot_trailing = 1 + rng.below(5);
  }
  if (rng.chance(1, 4)) core.pool.events_max = 10 + rng.below(60);
  core.assembler.expectation_wait = milliseconds(rng.between(200, 4000));

  options.network.latency_max = milliseconds(rng.between(1, 20));
  if (rng.chance(1, 2))
    options.network.duplicate_one_in = static_cast<std::uint32_t>(rng.between(5, 200));
  if (rng.chance(1, 2))
    options.network.reorder_one_in = static_cast<std::uint32_t>(rng.between(5, 200));
  options.network.uses_codec = rng.chance(1, 8);
  if (rng.chance(1, 2))
    options.disk.stall_one_in = static_cast<std::uint32_t>(rng.between(50, 2000));
  if (rng.chance(1, 2)) options.drift_permille_max = rng.between(1, 20);
  if (rng.chance(1, 2)) options.skew_ms_max = rng.between(10, 100'000);
  return options;
}

// Half of the seeds know hosts that join and members that leave.
std::size_t draw_joiners(std::uint64_t seed) {
  chain::Rng rng = chain::Rng(seed).fork("joiners");
  return rng.chance(1, 2) ? 0 : 1 + rng.below(4);
}

// In half of those some or all who join are light members.
std::size_t draw_lights(std::uint64_t seed, std::size_t joiners) {
  chain::Rng rng = chain::Rng(seed).fork("lights");
  return joiners == 0 || rng.chance(1, 2) ? 0 : 1 + rng.below(joiners);
}

// Half of the seeds are upgraded while they run: by one or two feature levels.
std::uint16_t draw_newest_program(std::uint64_t seed) {
  chain::Rng rng = chain::Rng(seed).fork("newest program");
  return static_cast<std::uint16_t>(rng.chance(1, 2) ? 1 : 2 + rng.below(2));
}

Operators::Options draw_operators(std::uint64_t seed, std::size_t joiners) {
  chain::Rng rng = chain::Rng(seed).fork("operators options");
  Operators::Options options;
  options.pause_between = milliseconds(rng.between(100, 2500));
  options.timeout_max = milliseconds(rng.between(1000, 10'000));
  options.lights = draw_lights(seed, joiners);
  return options;
}

Nemesis::Options draw_nemesis(std::uint64_t seed) {
  chain::Rng rng = chain::Rng(seed).fork("nemesis options");
  Nemesis::Options options;
  for (std::size_t fault = 0; fault < Nemesis::kFaults; ++fault)
    if (rng.chance(1, 2)) options.faults.push_back(static_cast<Nemesis::Fault>(fault));
  options.pause_between = milliseconds(rng.between(300, 4000));
  options.down_max = milliseconds(rng.between(200, 8000));
  options.cut_max = milliseconds(rng.between(500, 15'000));
  return options;
}

Workload::Options draw_workload(std::uint64_t seed) {
  chain::Rng rng = chain::Rng(seed).fork("workload options");
  Workload::Options options;
  options.clients = 1 + rng.below(6);
  options.streams = 1 + rng.below(8);
  options.think = milliseconds(rng.between(50, 800));
  options.batch_max = 1 + rng.below(16);
  return options;
}

// How long a healed cluster may need: old links fall silent, a leader is found, the block in hand
// is sealed or eased, what expects a version expires, and what is pending fills blocks, which may
// have room for a single event.
Span patience(const Cluster& cluster) {
  const ClusterOptions& options = cluster.options();
  const auto blocks = static_cast<std::int64_t>(120 + cluster.pending_most());
  return seconds(60) + 20 * options.core.election_timeout +
         blocks * milliseconds(options.interval_ms) + options.core.assembler.expectation_wait;
}

// `who` may change meanwhile: an order may be carried out late.
void demand_progress(Cluster& cluster, const std::function<std::vector<std::size_t>()>& who,
                     const char* when) {
  const Span limit = patience(cluster);
  if (cluster.run_until([&] { return cluster.is_settled(who()); }, limit)) return;
  throw Violation(
      "I15", fmt::format("no convergence {} within {} s: {}", when,
                         std::chrono::duration_cast<seconds>(limit).count(), cluster.describe()));
}

// Every program can do the newest level, so the cluster comes to it.
void demand_newest_level(Cluster& cluster) {
  const auto level = [&cluster] { return cluster.membership().newest()->feature_level; };
  const std::uint16_t newest = cluster.options().newest_program;
  if (cluster.run_until([&] { return level() == newest; }, patience(cluster))) return;
  throw Violation("I15", fmt::format("the feature level stays at {} of {}: {}", level(), newest,
                                     cluster.describe()));
}

// A healthy majority answers linearizable reads at each of its nodes.
void demand_reads(Cluster& cluster, const std::vector<std::size_t>& nodes) {
  std::size_t answered = 0;
  for (const std::size_t node : nodes) {
    cluster.read(node, patience(cluster), [&](const std::optional<bool>& reached) {
      if (reached.value_or(false)) ++answered;
    });
  }
  if (cluster.run_until([&] { return answered == nodes.size(); }, patience(cluster))) return;
  throw Violation("I15", fmt::format("only {} of {} healthy nodes answer a linearizable read: {}",
                                     answered, nodes.size(), cluster.describe()));
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

// A quorum of the newest voters comes back to health, and maybe members that have no vote; the
// others are gone for good, dead or out of reach.
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
  demand_progress(
      cluster, [&core] { return core; }, "of a healed quorum");
  std::erase_if(quorum, [&voters](std::size_t node) { return !contains(voters, node); });
  demand_reads(cluster, quorum);
}

}  // namespace

bool records_nonces(std::uint64_t seed) {
  return chain::Rng(seed).fork("nonces").chance(1, 8);
}

SimulationTotals simulate(const SimulationOptions& options) {
  ClusterOptions drawn = draw_cluster(options.seed);
  if (options.members_change) drawn.joiners = draw_joiners(options.seed);
  drawn.newest_program = draw_newest_program(options.seed);
  drawn.records_nonces = records_nonces(options.seed);
  Cluster cluster(drawn, options.prints);
  chain::Rng rng = chain::Rng(options.seed).fork("simulation");
  Nemesis nemesis(cluster, draw_nemesis(options.seed), rng.fork("nemesis"));
  Workload workload(cluster, draw_workload(options.seed), rng.fork("workload"));
  Operators operators(cluster, draw_operators(options.seed, drawn.joiners), rng.fork("operators"));
  cluster.start_genesis();
  nemesis.start();
  workload.start();
  if (drawn.joiners > 0) operators.start();
  cluster.run_for(options.chaos);
  nemesis.stop();
  workload.stop();
  operators.stop();

  cluster.trace().print("the chaos is over: {}", cluster.describe());
  // An order that is carried out late could take a vote from those who are healed.
  if (cluster.voters().size() > 1 && rng.chance(1, 2) && operators.knows_all())
    heal_quorum(cluster, rng);
  cluster.trace().print("everybody is healed: {}", cluster.describe());
  cluster.upgrade_all();
  cluster.heal_members();
  const auto members = [&cluster] { return cluster.members(); };
  demand_progress(cluster, members, "of all members");
  demand_newest_level(cluster);
  demand_progress(cluster, members, "of all members at the newest level");
  demand_reads(cluster, cluster.voters());
  cluster.verify();

  SimulationTotals totals;
  totals.trace_hash = cluster.trace().hash();
  totals.virtual_time = cluster.scheduler().now().since_start;
  totals.elections = cluster.raft().elections();
  totals.commits = cluster.commits();
  totals.blocks = cluster.chain().height().value;
  totals.eased = cluster.chain().eased_blocks();
  totals.events = cluster.chain().events();
  totals.rejections = cluster.chain().rejections();
  totals.requests = workload.requests();
  totals.promises = cluster.promises().promises();
  totals.reads = cluster.reads().reads();
  totals.revived = cluster.promises().revived();
  totals.asked = operators.orders();
  totals.relayed = operators.relayed();
  totals.orders = cluster.membership().orders();
  totals.strikes = nemesis.strikes();
  totals.levels = cluster.membership().newest()->feature_level - 1U;
  totals.lights = cluster.light().members();
  totals.light_headers = cluster.light().headers();
  totals.light_shares = cluster.light().shares();
  totals.nonces = cluster.nonces().count();
  totals.messages = cluster.network().messages();
  return totals;
}

}  // namespace eventchain::sim
