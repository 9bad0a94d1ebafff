#pragma once

#include <chrono>
#include <string>

namespace eventchain::tools {

// How soon this machine's miner threads are at work on another template.
struct SwitchBench {
  unsigned threads = 0;
  std::string kernel;
  std::size_t switches = 0;
  // From the call until a share of the new template has been found and delivered, of which all
  // hashes are one: an upper bound of the time to its first hash.
  std::chrono::nanoseconds p50{0};
  std::chrono::nanoseconds p99{0};
  std::chrono::nanoseconds max{0};
};

// Switches so many times between templates, at full work in between, with a thread of idle priority
// for each processor. Pre: switches > 0.
SwitchBench bench_switches(std::size_t switches);

}  // namespace eventchain::tools
