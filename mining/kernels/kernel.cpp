#include "mining/kernels/kernel.h"

#include <vector>

#include "mining/cpu_features.h"

namespace eventchain::mining::kernels {
namespace {

std::vector<Kernel> find_supported() {
  [[maybe_unused]] const CpuFeatures& cpu = cpu_features();
  std::vector<Kernel> result;
  const auto add = [&result](std::string_view name, StateLayout layout, std::uint32_t quantum,
                             ScanFunction scan) {
    result.push_back({.name = name, .layout = layout, .quantum = quantum, .scan = scan});
  };
#if defined(__x86_64__)
  if (cpu.sha_ni) add("sha-ni", StateLayout::kShaNi, 64, &scan_sha_ni);
  if (cpu.avx512f) add("avx512", StateLayout::kWordMajor, 64, &scan_avx512);
  if (cpu.avx2) add("avx2", StateLayout::kWordMajor, 32, &scan_avx2);
#endif
#if defined(EC_HAVE_ARM_SHA2)
  if (cpu.arm_sha2) add("arm-sha2", StateLayout::kColumnMajor, 32, &scan_arm_sha2);
#endif
  add("vectors", StateLayout::kWordMajor, 16, &scan_vectors);
  return result;
}

}  // namespace

void Tile::put(std::size_t column, const State& state, StateLayout layout) {
  switch (layout) {
    case StateLayout::kWordMajor:
      for (std::size_t word = 0; word < state.size(); ++word)
        states[word * kTileWidth + column] = state[word];
      return;
    case StateLayout::kColumnMajor:
      for (std::size_t word = 0; word < state.size(); ++word)
        states[column * 8 + word] = state[word];
      return;
    case StateLayout::kShaNi: {
      const auto [a, b, c, d, e, f, g, h] = state;
      const State packed = {f, e, b, a, h, g, d, c};
      for (std::size_t i = 0; i < packed.size(); ++i) states[column * 8 + i] = packed[i];
      return;
    }
  }
}

std::span<const Kernel> supported_kernels() {
  static const std::vector<Kernel> kernels = find_supported();
  return kernels;
}

}  // namespace eventchain::mining::kernels
