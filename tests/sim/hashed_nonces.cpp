#include "tests/sim/hashed_nonces.h"

#include <bit>

#include "tests/sim/trace.h"

namespace eventchain::sim {

namespace {

using mining::kernels::kTileWidth;

thread_local HashedNonces* recording = nullptr;

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  // The finalizer of splitmix64 (Steele, Lea, Flood, 2014) over a running sum.
  hash = (std::rotl(hash, 23) ^ value) + 0x9e3779b97f4a7c15;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
  return hash ^ (hash >> 31);
}

}  // namespace

HashedNonces::Recording::Recording(HashedNonces& nonces) : before_(recording) {
  recording = &nonces;
}

HashedNonces::Recording::~Recording() {
  recording = before_;
}

mining::kernels::Kernel HashedNonces::kernel() {
  return {"recording", mining::kernels::StateLayout::kWordMajor, 1, &HashedNonces::scan};
}

std::size_t HashedNonces::scan(const mining::kernels::Tile& tile, std::uint32_t threshold,
                               mining::kernels::ScanRange range, mining::kernels::Hit* hits) {
  if (recording != nullptr) recording->record(tile, range);
  return mining::kernels::scan_vectors(tile, threshold, range, hits);
}

void HashedNonces::record(const mining::kernels::Tile& tile, mining::kernels::ScanRange range) {
  for (std::size_t column = 0; column < kTileWidth; ++column) {
    std::uint64_t state = 0;
    for (std::size_t word = 0; word < 8; ++word)
      state = mix(state, tile.states[word * kTileWidth + column]);
    for (std::uint32_t row = 0; row < range.count; ++row)
      if (!seen_.insert(mix(state, range.first + row)).second)
        throw Violation("nonces", "a nonce of a template is hashed a second time");
  }
}

}  // namespace eventchain::sim
