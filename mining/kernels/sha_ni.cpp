#include "mining/kernels/kernel.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <utility>

// The kernel for processors with SHA extensions: four columns at a time, because sha256rnds2 takes
// four cycles and one can start in each; 24 of them per hash; the schedule is shared by the tile.
namespace eventchain::mining::kernels {
namespace {

// The attribute stands on every function here, the helpers included, and not on the file: inline
// functions of the standard library stay free of it, so no other part of the program can end up
// with a copy that an older processor does not understand. For the same reason no lambdas: they
// would not inherit it.
#define EC_SHA [[gnu::target("sha,sse4.1")]]
#define EC_SHA_INLINE [[gnu::target("sha,sse4.1"), gnu::always_inline]] inline

constexpr std::size_t kStreams = 4;
constexpr std::uint32_t kSchedulesAhead = 4;

EC_SHA_INLINE __m128i load(const std::uint32_t* from) {
  return _mm_load_si128(reinterpret_cast<const __m128i*>(from));
}

EC_SHA_INLINE void store(std::uint32_t* to, __m128i value) {
  _mm_store_si128(reinterpret_cast<__m128i*>(to), value);
}

// expand_schedule() with the message instructions; rounds 0..12 are left out.
EC_SHA_INLINE void expand(const BlockWords& tail, std::uint32_t word12, Schedule& schedule) {
  __m128i w0 = load(tail.data());
  __m128i w1 = load(tail.data() + 4);
  __m128i w2 = load(tail.data() + 8);
  __m128i w3 = _mm_insert_epi32(load(tail.data() + 12), static_cast<int>(word12), 0);
  store(schedule.data() + 12, _mm_add_epi32(w3, load(kRoundConstants.data() + 12)));
  for (std::size_t t = 16; t < 64; t += 4) {
    const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));
    const __m128i next = _mm_sha256msg2_epu32(sum, w3);
    store(schedule.data() + t, _mm_add_epi32(next, load(kRoundConstants.data() + t)));
    w0 = w1;
    w1 = w2;
    w2 = w3;
    w3 = next;
  }
}

// Two rounds of all streams. The result replaces `older`; `newer` then holds the other half.
EC_SHA_INLINE void two_rounds(__m128i (&older)[kStreams], const __m128i (&newer)[kStreams],
                              const std::uint32_t* constants) {
  const __m128i pair = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(constants));
  older[0] = _mm_sha256rnds2_epu32(older[0], newer[0], pair);
  older[1] = _mm_sha256rnds2_epu32(older[1], newer[1], pair);
  older[2] = _mm_sha256rnds2_epu32(older[2], newer[2], pair);
  older[3] = _mm_sha256rnds2_epu32(older[3], newer[3], pair);
}

EC_SHA_INLINE void four_rounds(__m128i (&cdgh)[kStreams], __m128i (&abef)[kStreams],
                               const std::uint32_t* constants) {
  two_rounds(cdgh, abef, constants);
  two_rounds(abef, cdgh, constants + 2);
}

// Rounds 13..60, written out by the pack expansion.
template <std::size_t... kIndex>
EC_SHA_INLINE void open_rounds(__m128i (&cdgh)[kStreams], __m128i (&abef)[kStreams],
                               const Schedule& schedule, std::index_sequence<kIndex...>) {
  static_assert(kFirstOpenRound + 4 * sizeof...(kIndex) == kLastNeededRound + 1);
  (four_rounds(cdgh, abef, schedule.data() + kFirstOpenRound + 4 * kIndex), ...);
}

// H7 of four neighbouring columns.
EC_SHA_INLINE __m128i last_words(const Tile& tile, std::size_t column, __m128i word12_to_a_and_e,
                                 const Schedule& schedule) {
  // Written out, since GCC keeps arrays filled by a loop in memory.
  const std::uint32_t* states = tile.states.data() + column * 8;
  __m128i abef[kStreams] = {_mm_add_epi32(load(states), word12_to_a_and_e),
                            _mm_add_epi32(load(states + 8), word12_to_a_and_e),
                            _mm_add_epi32(load(states + 16), word12_to_a_and_e),
                            _mm_add_epi32(load(states + 24), word12_to_a_and_e)};
  __m128i cdgh[kStreams] = {load(states + 4), load(states + 12), load(states + 20),
                            load(states + 28)};
  open_rounds(cdgh, abef, schedule, std::make_index_sequence<12>{});
  const __m128i e_01 = _mm_unpacklo_epi32(abef[0], abef[1]);
  const __m128i e_23 = _mm_unpacklo_epi32(abef[2], abef[3]);
  return _mm_add_epi32(_mm_unpackhi_epi64(e_01, e_23), load(tile.last_chaining.data() + column));
}

EC_SHA_INLINE std::size_t scan_row(const Tile& tile, __m128i threshold, std::uint32_t word12,
                                   const Schedule& schedule, Hit* hits) {
  const int added = static_cast<int>(word12);
  const __m128i word12_to_a_and_e = _mm_set_epi32(added, 0, added, 0);
  std::size_t found = 0;
  for (std::size_t column = 0; column < kTileWidth; column += kStreams) {
    const __m128i h7 = last_words(tile, column, word12_to_a_and_e, schedule);
    const __m128i passes = _mm_cmpeq_epi32(_mm_min_epu32(h7, threshold), h7);
    const int mask = _mm_movemask_ps(_mm_castsi128_ps(passes));
    if (mask == 0) [[likely]]
      continue;
    for (std::uint32_t stream = 0; stream < kStreams; ++stream)
      if (((mask >> stream) & 1) != 0)
        hits[found++] = {word12, static_cast<std::uint32_t>(column) + stream};
  }
  return found;
}

}  // namespace

EC_SHA std::size_t scan_sha_ni(const Tile& tile, std::uint32_t threshold, ScanRange range,
                               Hit* hits) {
  const __m128i thresholds = _mm_set1_epi32(static_cast<int>(threshold));
  // Several schedules at a time: each is one long chain of dependent instructions, several overlap.
  alignas(64) Schedule schedules[kSchedulesAhead];
  std::size_t found = 0;
  for (std::uint32_t done = 0; done < range.count;) {
    const std::uint32_t rows =
        range.count - done < kSchedulesAhead ? range.count - done : kSchedulesAhead;
    for (std::uint32_t row = 0; row < rows; ++row)
      expand(tile.tail, range.first + done + row, schedules[row]);
    for (std::uint32_t row = 0; row < rows; ++row)
      found += scan_row(tile, thresholds, range.first + done + row, schedules[row], hits + found);
    done += rows;
  }
  return found;
}

#undef EC_SHA_INLINE
#undef EC_SHA

}  // namespace eventchain::mining::kernels

#endif
