#pragma once

#include <cstdint>

#include "chain/genesis.h"
#include "chain/types.h"
#include "net/asio/mesh.h"
#include "node/config.h"
#include "node/core.h"
#include "node/log.h"

namespace eventchain::node {

// What the parts of a node want to know, out of its configuration and its chain's genesis.

// Without what only the daemon has: keys, the work's digest, the feature level. `seed`: random.
CoreOptions core_options(const Config& config, const chain::Genesis& genesis,
                         const chain::Salt& seed);

// Without the table of peers. `log` outlives the mesh.
net::MeshOptions mesh_options(const Config& config, const chain::Genesis& genesis,
                              const chain::StoreId& disk, std::uint16_t feature_level, Log& log);

}  // namespace eventchain::node
