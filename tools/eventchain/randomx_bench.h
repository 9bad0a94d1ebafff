#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "chain/result.h"

namespace eventchain::tools {

// What `eventchain bench mine --work randomx` finds out about this machine.
struct RandomXBench {
  struct Line {
    std::string mode;  // "light", "fast"
    unsigned threads = 1;
    double per_second_each = 0;  // hashes per second of processor time, of each thread
  };
  std::vector<Line> lines;
  bool has_machine_code = true;  // else the system refuses it, and hashes are interpreted
  double cache_seconds = 0;
  double dataset_seconds = 0;  // 0: not built
};

struct RandomXBenchOptions {
  std::chrono::milliseconds duration{6000};  // of all measuring, without what is built before
  bool with_fast = false;                    // takes 2.3 GiB and a minute of processor time
  std::function<void(const std::string&)> tell = [](const std::string&) {};
};

// An error where the memory is not to be had, or if fast mode gave another hash than light mode.
chain::Result<RandomXBench> bench_randomx(const RandomXBenchOptions& options);

}  // namespace eventchain::tools
