#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "tests/sim/draws.h"

namespace eventchain::sim {

// How the time of a block falls with the number of miners, all of the same rate, while the target
// stays what it is. The cluster is the same for each number: whoever does not mine follows.
struct SplitOptions {
  std::uint64_t seed = 1;
  std::size_t voters = 3;
  std::size_t observers = 29;
  std::size_t miners = 1;  // of all of them
  std::uint16_t share_count = 16;
  // Of a block when all mine; times the nodes, a multiple of share_count. The target is the easiest
  // that the chain allows, and the interval that the difficulty aims at much shorter: so it never
  // changes.
  std::uint32_t block_seconds = 10;
  std::uint64_t blocks = 200;  // that are measured
};

struct SplitReport {
  std::uint64_t blocks = 0;
  std::uint64_t shares = 0;  // found, the superfluous ones included
  Span block_time{0};        // mean, from one block's being applied first to the next one's
  Span expected{0};          // what the miners' rate alone comes to
  // Of the time that the miners had a template in hand: after the last share that it needed was
  // found somewhere. Nothing searched in it is of use.
  double on_dead_templates = 0;
  double without_work = 0;  // of all the miners' time
  bool target_stayed = true;
};

// Throws Violation.
SplitReport run_split(const SplitOptions& options);

}  // namespace eventchain::sim
