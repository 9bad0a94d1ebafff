#pragma once

#include "chain/rng.h"
#include "tests/sim/cluster.h"

namespace eventchain::sim {

// A quorum of the newest voters comes back to health, and maybe members that have no vote; the
// others are gone for good, dead or out of reach. Progress is demanded of them.
void heal_quorum(Cluster& cluster, chain::Rng& rng);

}  // namespace eventchain::sim
