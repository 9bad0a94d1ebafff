#pragma once

#include <cstdint>

namespace eventchain::node {

// `eventchaind` from its command line to its exit code (daemon.h): reads the configuration, starts
// the node, or with `mine` a miner process, and runs it until it is told to stop. Blocks SIGTERM
// and SIGINT in all threads. A program that is not this version, for tests of upgrades, is one with
// another `feature_level`.
int run_program(int argc, char** argv, std::uint16_t feature_level);

}  // namespace eventchain::node
