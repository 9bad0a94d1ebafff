#include "mining/kernels/kernel.h"

#if defined(EC_HAVE_ARM_SHA2)

#include <arm_neon.h>

#include <utility>

// The kernel for ARMv8 processors with the SHA-2 instructions: four columns at a time, because one
// alone would wait for each of its results; the schedule is shared by the tile.
namespace eventchain::mining::kernels {
namespace {

// On every function, not on the file, for the reason that sha_ni.cpp gives. "+sha2" would do, but
// GCC 12 declares the intrinsics for the whole group. Clang needs nothing here: it declares them
// only where the whole build may use them.
#if defined(__clang__)
#define EC_SHA
#define EC_SHA_INLINE [[gnu::always_inline]] inline
#else
#define EC_SHA [[gnu::target("+crypto")]]
#define EC_SHA_INLINE [[gnu::target("+crypto"), gnu::always_inline]] inline
#endif

constexpr std::size_t kStreams = 4;
constexpr std::size_t kGroups = (kLastNeededRound + 1 - kFirstOpenRound) / 4;

// expand_schedule() with the message instructions; rounds 0..12 are left out.
EC_SHA_INLINE void expand(const BlockWords& tail, std::uint32_t word12, Schedule& schedule) {
  uint32x4_t w0 = vld1q_u32(tail.data());
  uint32x4_t w1 = vld1q_u32(tail.data() + 4);
  uint32x4_t w2 = vld1q_u32(tail.data() + 8);
  uint32x4_t w3 = vsetq_lane_u32(word12, vld1q_u32(tail.data() + 12), 0);
  vst1q_u32(schedule.data() + 12, vaddq_u32(w3, vld1q_u32(kRoundConstants.data() + 12)));
  for (std::size_t t = 16; t < 64; t += 4) {
    const uint32x4_t next = vsha256su1q_u32(vsha256su0q_u32(w0, w1), w2, w3);
    vst1q_u32(schedule.data() + t, vaddq_u32(next, vld1q_u32(kRoundConstants.data() + t)));
    w0 = w1;
    w1 = w2;
    w2 = w3;
    w3 = next;
  }
}

// Four columns in the middle of their rounds: a..d and e..h of each.
struct Streams {
  uint32x4_t abcd[kStreams];
  uint32x4_t efgh[kStreams];
};

EC_SHA_INLINE void four_rounds(uint32x4_t& abcd, uint32x4_t& efgh, uint32x4_t constants) {
  const uint32x4_t before = abcd;
  abcd = vsha256hq_u32(before, efgh, constants);
  efgh = vsha256h2q_u32(efgh, before, constants);
}

EC_SHA_INLINE void four_rounds(Streams& streams, const std::uint32_t* schedule) {
  const uint32x4_t constants = vld1q_u32(schedule);
  four_rounds(streams.abcd[0], streams.efgh[0], constants);
  four_rounds(streams.abcd[1], streams.efgh[1], constants);
  four_rounds(streams.abcd[2], streams.efgh[2], constants);
  four_rounds(streams.abcd[3], streams.efgh[3], constants);
}

// Rounds 13..60, written out by the pack expansion. Of the last four the compiler drops what leads
// to A only.
template <std::size_t... kIndex>
EC_SHA_INLINE void open_rounds(Streams& streams, const Schedule& schedule,
                               std::index_sequence<kIndex...>) {
  (four_rounds(streams, schedule.data() + kFirstOpenRound + 4 * kIndex), ...);
}

// H7 of four neighbouring columns.
EC_SHA_INLINE uint32x4_t last_words(const Tile& tile, std::size_t column, uint32x4_t word12,
                                    const Schedule& schedule) {
  // Written out, since GCC keeps arrays filled by a loop in memory.
  const std::uint32_t* states = tile.states.data() + column * 8;
  Streams streams = {
      {vaddq_u32(vld1q_u32(states), word12), vaddq_u32(vld1q_u32(states + 8), word12),
       vaddq_u32(vld1q_u32(states + 16), word12), vaddq_u32(vld1q_u32(states + 24), word12)},
      {vaddq_u32(vld1q_u32(states + 4), word12), vaddq_u32(vld1q_u32(states + 12), word12),
       vaddq_u32(vld1q_u32(states + 20), word12), vaddq_u32(vld1q_u32(states + 28), word12)}};
  open_rounds(streams, schedule, std::make_index_sequence<kGroups>{});
  const uint32x4_t e_02 = vzip1q_u32(streams.efgh[0], streams.efgh[2]);
  const uint32x4_t e_13 = vzip1q_u32(streams.efgh[1], streams.efgh[3]);
  return vaddq_u32(vzip1q_u32(e_02, e_13), vld1q_u32(tile.last_chaining.data() + column));
}

EC_SHA_INLINE std::size_t scan_row(const Tile& tile, std::uint32_t threshold, std::uint32_t word12,
                                   const Schedule& schedule, Hit* hits) {
  const uint32x4_t to_a_and_e = vsetq_lane_u32(word12, vdupq_n_u32(0), 0);
  const uint32x4_t thresholds = vdupq_n_u32(threshold);
  std::size_t found = 0;
  for (std::size_t column = 0; column < kTileWidth; column += kStreams) {
    const uint32x4_t h7 = last_words(tile, column, to_a_and_e, schedule);
    if (vmaxvq_u32(vcleq_u32(h7, thresholds)) == 0) [[likely]]
      continue;
    std::uint32_t words[kStreams];
    vst1q_u32(words, h7);
    for (std::uint32_t stream = 0; stream < kStreams; ++stream)
      if (words[stream] <= threshold)
        hits[found++] = {word12, static_cast<std::uint32_t>(column) + stream};
  }
  return found;
}

}  // namespace

EC_SHA std::size_t scan_arm_sha2(const Tile& tile, std::uint32_t threshold, ScanRange range,
                                 Hit* hits) {
  alignas(64) Schedule schedule;
  std::size_t found = 0;
  for (std::uint32_t row = 0; row < range.count; ++row) {
    expand(tile.tail, range.first + row, schedule);
    found += scan_row(tile, threshold, range.first + row, schedule, hits + found);
  }
  return found;
}

#undef EC_SHA_INLINE
#undef EC_SHA

}  // namespace eventchain::mining::kernels

#endif
