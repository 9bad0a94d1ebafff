#pragma once

#include "chain/genesis.h"
#include "store/chain_store.h"
#include "store/memory_light_store.h"

namespace eventchain::sim {

// Recomputes the whole chain that a store holds from genesis alone, by the rules, with bodies
// hashed again and a view of its own (I8). Returns the tip; throws Violation at the first thing
// wrong.
chain::BlockId verify_chain(const chain::Genesis& genesis, store::ChainStore& store,
                            chain::Height until);

// The same of a light member's headers, as far as those tell: seal, target, and the members by the
// annexes; and its tip has signatures of a majority.
chain::BlockId verify_headers(const chain::Genesis& genesis, const store::MemoryLightStore& store);

}  // namespace eventchain::sim
