#pragma once

#include <cstdint>

#include "tests/sim/liar.h"
#include "tests/sim/nemesis.h"
#include "tests/sim/operators.h"
#include "tests/sim/workload.h"

namespace eventchain::sim {

// What a seed draws before anything happens: the cluster, and who does what to it. Each kind of
// draw has a generator of its own, so that a new one shifts no other.
struct SeedPlan {
  ClusterOptions cluster;
  Nemesis::Options nemesis;
  Workload::Options workload;
  Operators::Options operators;  // with cluster.joiners only
  Liar::Options liar;            // with cluster.has_liar only
  std::int64_t chaos_times = 1;  // how long the chaos is, of what it usually is
};

// `members_change`: in the seeds that know such changes.
SeedPlan draw_plan(std::uint64_t seed, bool members_change);

// In an eighth of the seeds every hash is looked at (hashed_nonces.h).
bool records_nonces(std::uint64_t seed);

}  // namespace eventchain::sim
