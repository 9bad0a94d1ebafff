// Lanes for lane_scan.h by the compiler's vector extensions, which become SSE2, AVX2, NEON or plain
// words, whatever the target of the functions has. Included like lane_scan.h and before it, with
// EC_LANES defined: the columns of one vector.
#pragma once

struct Lanes {
  static constexpr std::size_t kLanes = EC_LANES;
  using Vector = std::uint32_t __attribute__((vector_size(kLanes * sizeof(std::uint32_t))));
  using Spread = Vector;

  EC_LANE_INLINE static Vector load(const std::uint32_t* from) {
    Vector result;
    std::memcpy(&result, from, sizeof(result));
    return result;
  }
  EC_LANE_INLINE static Spread spread(std::uint32_t word) { return Vector{} + word; }

  EC_LANE_INLINE static Vector add(const Vector& x, const Vector& y) { return x + y; }
  EC_LANE_INLINE static Vector xor2(const Vector& x, const Vector& y) { return x ^ y; }
  EC_LANE_INLINE static Vector xor3(const Vector& x, const Vector& y, const Vector& z) {
    return x ^ y ^ z;
  }
  template <unsigned kBits>
  EC_LANE_INLINE static Vector shr(const Vector& x) {
    return x >> kBits;
  }
  template <unsigned kBits>
  EC_LANE_INLINE static Vector rotr(const Vector& x) {
    return (x >> kBits) | (x << (32 - kBits));
  }
  EC_LANE_INLINE static Vector choose(const Vector& e, const Vector& f, const Vector& g) {
    return (e & f) | (~e & g);
  }
  // The next round's b ^ c is this round's a ^ b.
  EC_LANE_INLINE static Vector majority(const Vector& a, const Vector& b, const Vector&,
                                        Vector& b_xor_c) {
    const Vector a_xor_b = a ^ b;
    const Vector result = b ^ (a_xor_b & b_xor_c);
    b_xor_c = a_xor_b;
    return result;
  }

  // Bit i: whether lane i is at most the threshold.
  EC_LANE_INLINE static std::uint64_t at_most(const Vector& values, const Spread& threshold) {
    const auto mask = values <= threshold;
    std::uint64_t halves[kLanes / 2];
    static_assert(sizeof(halves) == sizeof(mask));
    std::memcpy(halves, &mask, sizeof(mask));
    std::uint64_t any = 0;
    for (const std::uint64_t half : halves) any |= half;
    if (any == 0) [[likely]]
      return 0;
    std::uint64_t passing = 0;
    for (std::size_t i = 0; i < kLanes; ++i)
      passing |= std::uint64_t{values[i] <= threshold[i]} << i;
    return passing;
  }
  EC_LANE_INLINE static void store(std::uint32_t* to, const Vector& values) {
    std::memcpy(to, &values, sizeof(values));
  }
};
