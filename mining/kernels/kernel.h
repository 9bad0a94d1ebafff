#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "mining/kernels/sha256_rounds.h"

// What a search kernel is given, what it returns, and which kernels there are.
namespace eventchain::mining::kernels {

// Midstates that share one message schedule. Fewer lose speed (64: 2 %, 16: 11 %), more gain
// nothing and leave the first-level cache.
inline constexpr std::size_t kTileWidth = 128;

// The word of block 2 that is searched, and the first round that follows it.
inline constexpr std::size_t kSearchedWord = 12;
inline constexpr std::size_t kFirstOpenRound = kSearchedWord + 1;
// H7 is the E of round 60 plus the chaining value's last word: later rounds need not be computed
// to refuse a miss.
inline constexpr std::size_t kLastNeededRound = 60;

// How a kernel wants the working states of a tile in memory.
enum class StateLayout {
  kWordMajor,    // [word a..h][column]: equal words of neighbouring columns side by side
  kColumnMajor,  // [column][a b c d e f g h]: the two registers of ARM's sha256h
  kShaNi,        // [column][f e b a h g d c]: the two registers of sha256rnds2
};

// 128 columns, one per nonce.high. Column i's state is the one after rounds 0..12 of block 2 with
// W12 = 0; a W12 is then one addition to its A and its E. Constant while a kernel runs.
struct Tile {
  alignas(64) std::array<std::uint32_t, kTileWidth * 8> states{};
  alignas(64) std::array<std::uint32_t, kTileWidth> last_chaining{};  // H7 before block 2
  alignas(64) BlockWords tail{};                                      // block 2 with W12 = 0

  void put(std::size_t column, const State& state, StateLayout layout);
};

// A nonce that passed the filter H7 <= threshold. Only a candidate: the caller confirms it.
struct Hit {
  std::uint32_t word12 = 0;
  std::uint32_t column = 0;
};

// W12 = first, first + 1, .. (`count` values, modulo 2^32), each with all columns.
struct ScanRange {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

// Writes the hits, ascending in W12 and then in column, to `hits`, which has room for
// count * kTileWidth of them. Returns how many there are.
using ScanFunction = std::size_t (*)(const Tile& tile, std::uint32_t threshold, ScanRange range,
                                     Hit* hits);

struct Kernel {
  std::string_view name;
  StateLayout layout = StateLayout::kWordMajor;
  // Values of W12 per call: about 0.1 ms on a recent core, below 0.25 ms on a slow one, so that a
  // new order or a stop is seen at once.
  std::uint32_t quantum = 1;
  ScanFunction scan = nullptr;
};

// Those that this processor can run, in the order in which they are most often the fastest;
// kernel_trial.h finds out which one really is. Never empty.
std::span<const Kernel> supported_kernels();

// The kernels; call through Kernel::scan, which exists only where the processor has what it needs.
std::size_t scan_vectors(const Tile& tile, std::uint32_t threshold, ScanRange range, Hit* hits);
#if defined(__x86_64__)
std::size_t scan_sha_ni(const Tile& tile, std::uint32_t threshold, ScanRange range, Hit* hits);
std::size_t scan_avx2(const Tile& tile, std::uint32_t threshold, ScanRange range, Hit* hits);
std::size_t scan_avx512(const Tile& tile, std::uint32_t threshold, ScanRange range, Hit* hits);
#endif
// Clang has the instructions only in a build for processors that all have them.
#if defined(__aarch64__) && (!defined(__clang__) || defined(__ARM_FEATURE_SHA2))
#define EC_HAVE_ARM_SHA2
std::size_t scan_arm_sha2(const Tile& tile, std::uint32_t threshold, ScanRange range, Hit* hits);
#endif

}  // namespace eventchain::mining::kernels
