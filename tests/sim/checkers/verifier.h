#pragma once

#include "chain/genesis.h"
#include "store/chain_store.h"

namespace eventchain::sim {

// Recomputes the whole chain that a store holds from genesis alone, by the rules, with bodies
// hashed again and a view of its own (I8). Returns the tip; throws Violation at the first thing
// wrong.
chain::BlockId verify_chain(const chain::Genesis& genesis, store::ChainStore& store,
                            chain::Height until);

}  // namespace eventchain::sim
