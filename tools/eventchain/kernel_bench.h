#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "mining/kernel_trial.h"

namespace eventchain::tools {

// What `eventchain bench mine` finds out about this machine.
struct KernelBench {
  // What was measured in processor time, and by how many threads at once; the rate is their sum.
  struct Line {
    unsigned threads = 1;
    mining::Rate rate;
  };
  std::vector<Line> kernels;  // all with one thread, then all with a thread for each processor
  // OpenSSL's SHA-256, as `openssl speed -evp sha256` does it: blocks of 64 octets, 8 KiB at a
  // time.
  mining::Rate openssl_blocks;
  // Messages as long as a share's preimage, each hashed by one call: two blocks for a hash.
  mining::Rate openssl_messages;
  std::string openssl_version;
  std::string chosen;  // the kernel that a node on this machine mines with
};

// Takes about `duration`: half with one thread, half with all. Kernels and OpenSSL take turns in
// chunks of 5 ms, so that their figures can be compared whatever else the machine does.
KernelBench bench_kernels(std::chrono::milliseconds duration);

}  // namespace eventchain::tools
