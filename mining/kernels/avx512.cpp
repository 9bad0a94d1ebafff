#include "mining/kernels/kernel.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <array>
#include <bit>
#include <cstring>

// The kernel for AVX-512: two vectors of sixteen columns side by side, because one alone waits for
// its own results for a fifth of the time; the 32 registers have room for both.
namespace eventchain::mining::kernels {
namespace {

#define EC_LANE_TARGET [[gnu::target("avx512f")]]
#define EC_LANE_INLINE [[gnu::target("avx512f"), gnu::always_inline]] inline

struct Lanes {
  static constexpr std::size_t kHalf = 16;
  static constexpr std::size_t kLanes = 2 * kHalf;
  using Half = std::uint32_t __attribute__((vector_size(kHalf * sizeof(std::uint32_t))));
  struct Vector {
    Half low, high;
  };
  using Spread = Half;

  EC_LANE_INLINE static Vector load(const std::uint32_t* from) {
    Vector result;
    std::memcpy(&result, from, sizeof(result));
    return result;
  }
  EC_LANE_INLINE static void store(std::uint32_t* to, const Vector& values) {
    std::memcpy(to, &values, sizeof(values));
  }
  EC_LANE_INLINE static Spread spread(std::uint32_t word) { return Half{} + word; }

  EC_LANE_INLINE static Vector add(const Vector& x, const Vector& y) {
    return {x.low + y.low, x.high + y.high};
  }
  EC_LANE_INLINE static Vector add(const Vector& x, const Spread& y) {
    return {x.low + y, x.high + y};
  }
  EC_LANE_INLINE static Vector xor2(const Vector& x, const Vector& y) {
    return {x.low ^ y.low, x.high ^ y.high};
  }
  template <unsigned kBits>
  EC_LANE_INLINE static Vector shr(const Vector& x) {
    return {x.low >> kBits, x.high >> kBits};
  }
  // Compilers make one instruction of it.
  template <unsigned kBits>
  EC_LANE_INLINE static Vector rotr(const Vector& x) {
    return {x.low >> kBits | x.low << (32 - kBits), x.high >> kBits | x.high << (32 - kBits)};
  }

  // Any function of three bits in one instruction; bit 4x + 2y + z of kTable is its value. The one
  // thing that compilers do not find by themselves.
  template <int kTable>
  EC_LANE_INLINE static Half of_three(const Half& x, const Half& y, const Half& z) {
    return reinterpret_cast<Half>(_mm512_ternarylogic_epi32(reinterpret_cast<__m512i>(x),
                                                            reinterpret_cast<__m512i>(y),
                                                            reinterpret_cast<__m512i>(z), kTable));
  }
  template <int kTable>
  EC_LANE_INLINE static Vector of_three(const Vector& x, const Vector& y, const Vector& z) {
    return {of_three<kTable>(x.low, y.low, z.low), of_three<kTable>(x.high, y.high, z.high)};
  }
  EC_LANE_INLINE static Vector xor3(const Vector& x, const Vector& y, const Vector& z) {
    return of_three<0b10010110>(x, y, z);
  }
  EC_LANE_INLINE static Vector choose(const Vector& e, const Vector& f, const Vector& g) {
    return of_three<0b11001010>(e, f, g);
  }
  EC_LANE_INLINE static Vector majority(const Vector& a, const Vector& b, const Vector& c,
                                        Vector&) {
    return of_three<0b11101000>(a, b, c);
  }

  EC_LANE_INLINE static std::uint64_t at_most(const Vector& values, const Spread& threshold) {
    return at_most(values.low, threshold) | at_most(values.high, threshold) << kHalf;
  }
  EC_LANE_INLINE static std::uint64_t at_most(const Half& values, const Spread& threshold) {
    return _mm512_cmple_epu32_mask(reinterpret_cast<__m512i>(values),
                                   reinterpret_cast<__m512i>(threshold));
  }
};

// Uses Lanes.
#include "mining/kernels/lane_scan.h"

}  // namespace

std::size_t scan_avx512(const Tile& tile, std::uint32_t threshold, ScanRange range, Hit* hits) {
  return scan_lanes(tile, threshold, range, hits);
}

}  // namespace eventchain::mining::kernels

#endif
