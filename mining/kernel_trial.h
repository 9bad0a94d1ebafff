#pragma once

#include <chrono>
#include <string_view>
#include <vector>

namespace eventchain::mining {

struct KernelRate {
  std::string_view name;
  double hashes_per_second = 0;  // of one thread, in its own processor time
  double cycles_per_hash = 0;    // 0 where the clock rate cannot be estimated
};

// Measures every supported kernel on the calling thread, in the order of supported_kernels(). The
// kernels take turns in chunks of a few milliseconds and the median chunk counts, so that a
// disturbance from outside hits all of them alike. Takes about per_kernel for each kernel.
std::vector<KernelRate> measure_kernels(std::chrono::milliseconds per_kernel);

}  // namespace eventchain::mining
