#pragma once

#include <memory>

#include "chain/genesis.h"
#include "chain/keys.h"
#include "chain/result.h"
#include "node/config.h"

namespace eventchain::node {

// What the configuration says of this node, held against genesis and against the files it names.
// Errors name the key of the configuration and what to do.

// Genesis names the first voters. A node that joins later is in no genesis, and finds the others by
// its seeds.
chain::Result<void> check_membership(const Config& config, const chain::Genesis& genesis);

// Of this member's disk. Genesis knows its voters' own; any other node has to say which it is.
chain::Result<chain::StoreId> find_store(const Config& config, const chain::Genesis& genesis);

// The member's key; if genesis names the member, it must have its public half.
chain::Result<std::unique_ptr<chain::Ed25519>> load_signing_key(const Config& config,
                                                                const chain::Genesis& genesis);

// A member is light from its first start on: the data directory must not hold a store of the other
// kind, and no voter of genesis is light.
chain::Result<void> check_kind(const Config& config, const chain::Genesis& genesis);

// Everything --check-config can check without starting: genesis, membership, files.
chain::Result<void> check_deployment(const Config& config);

}  // namespace eventchain::node
