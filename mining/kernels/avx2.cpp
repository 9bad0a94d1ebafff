#include "mining/kernels/kernel.h"

#if defined(__x86_64__)

#include <array>
#include <bit>
#include <cstring>

// The kernel for AVX2: eight columns in the lanes of one 32-octet vector.
namespace eventchain::mining::kernels {
namespace {

#define EC_LANES 8
#define EC_LANE_TARGET [[gnu::target("avx2")]]
#define EC_LANE_INLINE [[gnu::target("avx2"), gnu::always_inline]] inline

#include "mining/kernels/vector_lanes.h"
// Uses Lanes.
#include "mining/kernels/lane_scan.h"

}  // namespace

std::size_t scan_avx2(const Tile& tile, std::uint32_t threshold, ScanRange range, Hit* hits) {
  return scan_lanes(tile, threshold, range, hits);
}

}  // namespace eventchain::mining::kernels

#endif
