#include "mining/cpu_features.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>

#include <asm/hwcap.h>
#endif

namespace eventchain::mining {
namespace {

#if defined(__x86_64__)

// cpuid by hand, because clang 14 does not know __builtin_cpu_supports("sha").
bool has_sha_ni() {
  constexpr unsigned kLeafBasic = 1;
  constexpr unsigned kLeafExtended = 7;
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  if (__get_cpuid(kLeafBasic, &eax, &ebx, &ecx, &edx) == 0) return false;
  const bool ssse3 = ((ecx >> 9) & 1) != 0;
  const bool sse41 = ((ecx >> 19) & 1) != 0;
  if (__get_cpuid_count(kLeafExtended, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  const bool sha = ((ebx >> 29) & 1) != 0;
  // No question to the operating system: the SHA extensions use the XMM registers, which every
  // 64-bit system saves.
  return sha && ssse3 && sse41;
}

CpuFeatures detect() {
  // The builtin also asks whether the operating system saves the wider registers.
  return {.sha_ni = has_sha_ni(),
          .avx2 = __builtin_cpu_supports("avx2") != 0,
          .avx512f = __builtin_cpu_supports("avx512f") != 0};
}

#elif defined(__aarch64__) && defined(__linux__)

CpuFeatures detect() {
  return {.arm_sha2 = (getauxval(AT_HWCAP) & HWCAP_SHA2) != 0};
}

#else

CpuFeatures detect() {
  return {};
}

#endif

}  // namespace

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = detect();
  return features;
}

}  // namespace eventchain::mining
