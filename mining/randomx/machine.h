#pragma once

#include <memory>

#include "chain/types.h"
#include "mining/randomx/memory.h"

struct randomx_vm;

namespace eventchain::mining::randomx {

// One virtual machine of RandomX: computes one hash at a time, for one thread at a time. Where the
// system refuses machine code in the midst of it, it goes on as an interpreter, and so do all that
// are made later. Uses the dataset if that was complete when it was made, unless it is to do
// without.
class Machine {
 public:
  enum class Reads : std::uint8_t { kDatasetIfThere, kCacheAlone };
  explicit Machine(std::shared_ptr<Memory> memory, Reads reads = Reads::kDatasetIfThere);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // Leaves the thread's floating-point rounding as it was.
  chain::Hash digest(chain::ByteView input);

  // The same in two steps, a little faster over many: begin() the first, then next() answers for
  // the one begun and begins the following one. These leave the thread with another floating-point
  // rounding: for threads that do nothing else.
  void begin(chain::ByteView first);
  chain::Hash next(chain::ByteView following);

  [[nodiscard]] bool is_fast() const { return is_fast_; }
  [[nodiscard]] bool has_jit() const { return has_jit_; }

 private:
  void make();
  // After the library threw: the same without machine code.
  void interpret();

  const std::shared_ptr<Memory> memory_;
  const Reads reads_;
  randomx_vm* vm_ = nullptr;
  bool is_fast_ = false;
  bool has_jit_ = false;
  chain::Bytes begun_;
};

}  // namespace eventchain::mining::randomx
