#include <array>
#include <bit>
#include <cstring>

#include "mining/kernels/kernel.h"

// The kernel for every processor: four columns in the lanes of one 16-octet vector.
namespace eventchain::mining::kernels {
namespace {

#define EC_LANES 4
#define EC_LANE_TARGET
#define EC_LANE_INLINE [[gnu::always_inline]] inline

#include "mining/kernels/vector_lanes.h"
// Uses Lanes.
#include "mining/kernels/lane_scan.h"

}  // namespace

std::size_t scan_vectors(const Tile& tile, std::uint32_t threshold, ScanRange range, Hit* hits) {
  return scan_lanes(tile, threshold, range, hits);
}

}  // namespace eventchain::mining::kernels
