#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "chain/genesis.h"
#include "chain/result.h"
#include "mining/lending.h"
#include "mining/process/miner_process.h"
#include "mining/search.h"
#include "node/config.h"
#include "node/log.h"

// The miner by the configuration: threads of the node, or a process of its own and what the node
// has of it.
namespace eventchain::node {

using OnShare = std::function<void(const mining::ShareFound&)>;

// The node's side, for a node that lends something to a chain with work. `search` is what its own
// threads would mine with. `log` outlives it. Fails where nobody can listen at mining.socket.
chain::Result<std::unique_ptr<mining::LendingMiner>> make_miner(const Config& config,
                                                                const chain::Genesis& genesis,
                                                                mining::SearchFactory search,
                                                                std::uint16_t feature_level,
                                                                Log& log, OnShare on_share);

// The other side: what `eventchaind mine` is. `config` and `log` outlive it.
std::unique_ptr<mining::process::MinerProcess> start_miner_process(const Config& config,
                                                                   std::uint16_t feature_level,
                                                                   Log& log);

}  // namespace eventchain::node
