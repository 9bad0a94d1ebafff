#pragma once

#include <cstdint>
#include <unordered_set>

#include "mining/kernels/kernel.h"

namespace eventchain::sim {

// Every nonce that anybody in one simulation has hashed, for each template: an invariant of its own
// (nonces). It looks at what a kernel is really given, the states and rows of its tile, and not at
// what a miner says that it searches.
class HashedNonces {
 public:
  // A kernel for searches in a simulation: a row at a time, which is recorded where a Recording is
  // in scope on the calling thread.
  static mining::kernels::Kernel kernel();

  class Recording {
   public:
    explicit Recording(HashedNonces& nonces);
    ~Recording();
    Recording(const Recording&) = delete;
    Recording& operator=(const Recording&) = delete;

   private:
    HashedNonces* const before_;
  };

  [[nodiscard]] std::uint64_t count() const { return seen_.size(); }

 private:
  static std::size_t scan(const mining::kernels::Tile& tile, std::uint32_t threshold,
                          mining::kernels::ScanRange range, mining::kernels::Hit* hits);
  // Throws Violation if one of them was hashed before.
  void record(const mining::kernels::Tile& tile, mining::kernels::ScanRange range);

  // Of a column's state before the searched word, and that word. The state is what the template and
  // nonce.high come to. 64 bits of a hash: a false alarm among a million nonces is one seed in
  // 10^7.
  std::unordered_set<std::uint64_t> seen_;
};

}  // namespace eventchain::sim
