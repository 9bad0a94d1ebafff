#include "mining/kernels/kernel.h"

#include <vector>

#include "mining/cpu_features.h"

namespace eventchain::mining::kernels {
namespace {

std::vector<Kernel> find_supported() {
  std::vector<Kernel> result;
#if defined(__x86_64__)
  if (cpu_features().sha_ni)
    result.push_back(
        {.name = "sha-ni", .layout = StateLayout::kShaNi, .quantum = 64, .scan = &scan_sha_ni});
#endif
  result.push_back(
      {.name = "vectors", .layout = StateLayout::kWordMajor, .quantum = 16, .scan = &scan_vectors});
  return result;
}

}  // namespace

void Tile::put(std::size_t column, const State& state, StateLayout layout) {
  switch (layout) {
    case StateLayout::kWordMajor:
      for (std::size_t word = 0; word < state.size(); ++word)
        states[word * kTileWidth + column] = state[word];
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

const Kernel& fastest_kernel() {
  return supported_kernels().front();
}

}  // namespace eventchain::mining::kernels
