#pragma once

#include "tests/sim/draws.h"

namespace eventchain::sim {

// How long a turn takes to become durable. What a crash loses is MemoryStore's business.
class Disk {
 public:
  struct Options {
    Span fastest = std::chrono::microseconds(100);
    Span slowest = std::chrono::milliseconds(5);
    std::uint32_t stall_one_in = 0;  // commits; 0: never
    Span longest_stall = std::chrono::seconds(2);
  };

  Disk(const Options& options, chain::Rng rng) : options_(options), rng_(rng) {}

  Span next_commit() {
    if (stalls_ && options_.stall_one_in > 0 && rng_.chance(1, options_.stall_one_in))
      return draw_span(rng_, options_.slowest, options_.longest_stall);
    return draw_span(rng_, options_.fastest, options_.slowest);
  }
  void heal() { stalls_ = false; }

 private:
  const Options options_;
  chain::Rng rng_;
  bool stalls_ = true;
};

}  // namespace eventchain::sim
