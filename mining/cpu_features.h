#pragma once

namespace eventchain::mining {

// What this processor can do, as far as a kernel asks for it. Read with cpuid, because clang 14
// does not know __builtin_cpu_supports("sha").
struct CpuFeatures {
  bool sha_ni = false;  // the SHA extensions together with SSSE3 and SSE4.1
};

// Asked once per process; all false on other architectures than x86-64.
const CpuFeatures& cpu_features();

}  // namespace eventchain::mining
