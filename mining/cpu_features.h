#pragma once

namespace eventchain::mining {

// What this processor can do, as far as a kernel asks for it, and the operating system lets it.
struct CpuFeatures {
  bool sha_ni = false;  // x86-64: the SHA extensions together with SSSE3 and SSE4.1
  bool avx2 = false;
  bool avx512f = false;
  bool arm_sha2 = false;  // ARMv8: the SHA-256 instructions
};

// Asked once per process.
const CpuFeatures& cpu_features();

}  // namespace eventchain::mining
