#include "tests/sim/seed_plan.h"

#include "tests/sim/draws.h"

namespace eventchain::sim {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kFirstFaults = 12;

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

// In an eighth of the seeds the nodes dial each other as real ones do.
bool draw_sparse(std::uint64_t seed) {
  return chain::Rng(seed).fork("sparse").chance(1, 8);
}

Operators::Options draw_operators(std::uint64_t seed, std::size_t joiners) {
  chain::Rng rng = chain::Rng(seed).fork("operators options");
  Operators::Options options;
  options.pause_between = milliseconds(rng.between(100, 2500));
  options.timeout_max = milliseconds(rng.between(1000, 10'000));
  options.lights = draw_lights(seed, joiners);
  options.sets_policy = chain::Rng(seed).fork("policy").chance(1, 3);
  return options;
}

Nemesis::Options draw_nemesis(std::uint64_t seed) {
  chain::Rng rng = chain::Rng(seed).fork("nemesis options");
  Nemesis::Options options;
  // Faults that were added later have draws of their own.
  chain::Rng later = chain::Rng(seed).fork("later faults");
  for (std::size_t fault = 0; fault < Nemesis::kFaults; ++fault) {
    chain::Rng& draws = fault < kFirstFaults ? rng : later;
    if (draws.chance(1, 2)) options.faults.push_back(static_cast<Nemesis::Fault>(fault));
  }
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

// A quarter of the seeds have a liar. Whoever says what is plainly wrong is soon listened to by
// nobody, so each knows some kinds of lies only.
bool draw_has_liar(std::uint64_t seed) {
  return chain::Rng(seed).fork("has liar").chance(1, 4);
}

Liar::Options draw_liar(std::uint64_t seed) {
  chain::Rng rng = chain::Rng(seed).fork("liar options");
  Liar::Options options;
  const std::uint64_t one_in = 1 + rng.below(Lies::kKinds);
  options.kinds.push_back(static_cast<Lies::Kind>(rng.below(Lies::kKinds)));
  for (std::size_t kind = 0; kind < Lies::kKinds; ++kind)
    if (rng.below(one_in) == 0) options.kinds.push_back(static_cast<Lies::Kind>(kind));
  options.pause_between = milliseconds(rng.between(10, 200));
  if (rng.chance(1, 3)) options.withholds_percent = static_cast<std::uint32_t>(rng.below(60));
  if (rng.chance(1, 3)) options.twists_percent = static_cast<std::uint32_t>(rng.below(30));
  return options;
}

// In a sixteenth of the seeds the chaos is long, blocks come fast and whoever is down stays down,
// so that much is to be caught up on.
void make_long(SeedPlan& plan, chain::Rng rng) {
  plan.chaos_times = 8;
  plan.cluster.interval_ms = static_cast<std::uint32_t>(rng.between(100, 200));
  plan.nemesis.pause_between = milliseconds(rng.between(2000, 12'000));
  plan.nemesis.down_max = milliseconds(rng.between(8000, 60'000));
}

// In a quarter of the seeds little fits into events, blocks and pools, and events are larger.
void make_small(SeedPlan& plan, chain::Rng rng) {
  plan.cluster.event_bytes_max = 512;
  plan.cluster.block_bytes_max = static_cast<std::uint32_t>(rng.between(512, 4096));
  plan.cluster.core.pool.bytes_max = static_cast<std::size_t>(rng.between(4, 64)) * 1024;
  plan.workload.data_bytes_max = 200;
}

}  // namespace

bool records_nonces(std::uint64_t seed) {
  return chain::Rng(seed).fork("nonces").chance(1, 8);
}

SeedPlan draw_plan(std::uint64_t seed, bool members_change) {
  SeedPlan plan;
  plan.cluster = draw_cluster(seed);
  if (members_change) plan.cluster.joiners = draw_joiners(seed);
  plan.cluster.newest_program = draw_newest_program(seed);
  plan.cluster.records_nonces = records_nonces(seed);
  plan.cluster.is_sparse = draw_sparse(seed);
  plan.cluster.has_liar = members_change && draw_has_liar(seed);
  plan.liar = draw_liar(seed);
  plan.nemesis = draw_nemesis(seed);
  plan.workload = draw_workload(seed);
  plan.operators = draw_operators(seed, plan.cluster.joiners);
  // A policy without standbys makes observers voters, and Raft believes its voters.
  if (plan.cluster.has_liar) plan.operators.sets_policy = false;
  chain::Rng sizes = chain::Rng(seed).fork("sizes");
  if (sizes.chance(1, 16)) make_long(plan, sizes.fork("long"));
  if (sizes.chance(1, 4)) make_small(plan, sizes.fork("small"));
  return plan;
}

}  // namespace eventchain::sim
