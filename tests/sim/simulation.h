#pragma once

#include <cstdint>

#include "tests/sim/scheduler.h"

namespace eventchain::sim {

struct SimulationOptions {
  std::uint64_t seed = 1;
  Span chaos = std::chrono::seconds(20);  // in some seeds much longer
  bool prints = false;
  bool members_change = true;  // in the seeds that know such changes
};

struct SimulationTotals {
  std::uint64_t trace_hash = 0;
  Span virtual_time{0};
  std::uint64_t elections = 0, commits = 0, blocks = 0, eased = 0, events = 0, rejections = 0,
                requests = 0, promises = 0, revived = 0, reads = 0, strikes = 0, messages = 0,
                asked = 0, orders = 0, relayed = 0, levels = 0, lights = 0, light_headers = 0,
                light_shares = 0, nonces = 0, lies = 0;
  std::uint64_t waited_permille = 0;  // of what a demand was given, the longest
};

// One seed from beginning to end: everything drawn from it, chaos with safety checked at every
// commit, then healing with progress demanded, at last the independent verifier. Throws Violation.
SimulationTotals simulate(const SimulationOptions& options);

}  // namespace eventchain::sim
