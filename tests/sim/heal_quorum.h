#pragma once

#include "chain/rng.h"
#include "tests/sim/cluster.h"

namespace eventchain::sim {

// A quorum of the newest voters comes back to health, and maybe members that have no vote; the
// others are gone for good, dead or out of reach. Progress is demanded of them; half of the time
// once more around a hub.
void heal_quorum(Cluster& cluster, chain::Rng& rng);

// Of those who are healed and at rest one voter stays linked with all, half of the other links are
// cut for good, and progress is demanded again, in a term that stays. Nothing happens where Raft's
// configuration is not known to be what the blocks say: a hub that has not heard of its vote would
// not stand for election.
void around_a_hub(Cluster& cluster, const std::vector<std::size_t>& healed, chain::Rng rng);

}  // namespace eventchain::sim
