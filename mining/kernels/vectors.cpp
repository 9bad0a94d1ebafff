#include <cstring>

#include "mining/kernels/kernel.h"

// The kernel for every processor: the compiler's vector extensions, four columns in the lanes of
// one 16-octet vector. They become SSE2, NEON or plain words, whatever the target has.
namespace eventchain::mining::kernels {
namespace {

constexpr std::size_t kLanes = 4;
using Vector = std::uint32_t __attribute__((vector_size(kLanes * sizeof(std::uint32_t))));

#define EC_INLINE [[gnu::always_inline]] inline

EC_INLINE Vector broadcast(std::uint32_t value) {
  return Vector{value, value, value, value};
}

EC_INLINE Vector load(const std::uint32_t* from) {
  Vector result;
  std::memcpy(&result, from, sizeof(result));
  return result;
}

template <unsigned kBits>
EC_INLINE Vector rotr(Vector x) {
  return (x >> kBits) | (x << (32 - kBits));
}

EC_INLINE Vector first_sum(Vector e, Vector f, Vector g, Vector h, std::uint32_t constant) {
  const Vector sum1 = rotr<6>(e) ^ rotr<11>(e) ^ rotr<25>(e);
  const Vector choice = g ^ (e & (f ^ g));
  return h + broadcast(constant) + sum1 + choice;
}

// One round without moving the words: the caller renames them.
EC_INLINE void round(Vector a, Vector b, Vector c, Vector& d, Vector e, Vector f, Vector g,
                     Vector& h, std::uint32_t constant) {
  const Vector t1 = first_sum(e, f, g, h, constant);
  const Vector sum0 = rotr<2>(a) ^ rotr<13>(a) ^ rotr<22>(a);
  const Vector majority = (a & b) | (c & (a | b));
  d = d + t1;
  h = t1 + sum0 + majority;
}

// E after round 60 for four columns.
EC_INLINE Vector last_e(const Tile& tile, std::size_t column, const Schedule& schedule,
                        std::uint32_t word12) {
  const std::uint32_t* states = tile.states.data() + column;
  Vector a = load(states) + broadcast(word12);
  Vector b = load(states + kTileWidth);
  Vector c = load(states + 2 * kTileWidth);
  Vector d = load(states + 3 * kTileWidth);
  Vector e = load(states + 4 * kTileWidth) + broadcast(word12);
  Vector f = load(states + 5 * kTileWidth);
  Vector g = load(states + 6 * kTileWidth);
  Vector h = load(states + 7 * kTileWidth);

  const std::uint32_t* at = schedule.data() + kFirstOpenRound;
  for (int i = 0; i < 5; ++i, at += 8) {
    round(a, b, c, d, e, f, g, h, at[0]);
    round(h, a, b, c, d, e, f, g, at[1]);
    round(g, h, a, b, c, d, e, f, at[2]);
    round(f, g, h, a, b, c, d, e, at[3]);
    round(e, f, g, h, a, b, c, d, at[4]);
    round(d, e, f, g, h, a, b, c, at[5]);
    round(c, d, e, f, g, h, a, b, at[6]);
    round(b, c, d, e, f, g, h, a, at[7]);
  }
  round(a, b, c, d, e, f, g, h, at[0]);
  round(h, a, b, c, d, e, f, g, at[1]);
  round(g, h, a, b, c, d, e, f, at[2]);
  round(f, g, h, a, b, c, d, e, at[3]);
  // What rounds 57..60 put into A would reach E only after round 60.
  h = h + first_sum(a, b, c, d, at[4]);
  g = g + first_sum(h, a, b, c, at[5]);
  f = f + first_sum(g, h, a, b, at[6]);
  return e + first_sum(f, g, h, a, at[7]);
}

EC_INLINE bool any(Vector mask) {
  std::uint64_t halves[2];
  static_assert(sizeof(halves) == sizeof(mask));
  std::memcpy(halves, &mask, sizeof(mask));
  return (halves[0] | halves[1]) != 0;
}

}  // namespace

std::size_t scan_vectors(const Tile& tile, std::uint32_t threshold, ScanRange range, Hit* hits) {
  std::size_t found = 0;
  BlockWords words = tile.tail;
  for (std::uint32_t i = 0; i < range.count; ++i) {
    words[kSearchedWord] = range.first + i;
    const Schedule schedule = expand_schedule(words);
    for (std::size_t column = 0; column < kTileWidth; column += kLanes) {
      const Vector h7 = last_e(tile, column, schedule, words[kSearchedWord]) +
                        load(tile.last_chaining.data() + column);
      if (!any(reinterpret_cast<Vector>(h7 <= broadcast(threshold)))) [[likely]]
        continue;
      for (std::size_t lane = 0; lane < kLanes; ++lane)
        if (h7[lane] <= threshold)
          hits[found++] = {words[kSearchedWord], static_cast<std::uint32_t>(column + lane)};
    }
  }
  return found;
}

#undef EC_INLINE

}  // namespace eventchain::mining::kernels
