#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mining/kernels/kernel.h"

namespace eventchain::mining {

// How fast one contender was, in processor time of the thread that ran it.
struct Rate {
  std::string name;
  double per_second = 0;
  double cycles_each = 0;  // 0 where the clock rate of the core cannot be estimated
  std::size_t chunks = 0;
  // Chunks in which the core gave all it has, by a probe before and after. The figures are medians
  // of these; where there are none, of all.
  std::size_t clean_chunks = 0;
};

// Compares the speeds of pieces of work: they take turns in chunks of a few milliseconds, so that a
// disturbance from outside hits all of them alike. On a virtual machine others may use the same
// core: then its throughput falls to a half without any trace in the processor time, which is why
// each chunk is judged by two probes, and judged at the end, when the best probe is known.
//
// Used by one thread; run_chunk() is what takes the time.
class Contest {
 public:
  // Does some work, well below a millisecond of it, and returns how many units that were.
  using Work = std::function<std::uint64_t()>;

  explicit Contest(std::chrono::microseconds chunk = std::chrono::milliseconds(5))
      : chunk_(chunk) {}

  void add(std::string name, Work work);
  [[nodiscard]] std::size_t size() const { return contenders_.size(); }

  void run_chunk(std::size_t contender);
  void run_round();  // one chunk of each

  [[nodiscard]] std::vector<Rate> rates() const;  // in the order they were added

 private:
  struct Chunk {
    double per_second = 0;
    double clock = 0;  // of the core, right after it
    double worst_probe = 0;
  };
  struct Contender {
    std::string name;
    Work work;
    std::vector<Chunk> chunks;
  };

  [[nodiscard]] double clean_probe() const;

  const std::chrono::microseconds chunk_;
  std::vector<Contender> contenders_;
};

// A kernel at work, counting hashes, on a template of zeros with a target that nothing meets.
Contest::Work kernel_at_work(const kernels::Kernel& kernel);

// The kernel to mine with: that which won a trial of about 20 ms among the supported ones, held at
// the first call. The order of the list would not do: SHA extensions take half the cycles of
// AVX-512 on one maker's processors and twice as many on another's.
const kernels::Kernel& fastest_kernel();

}  // namespace eventchain::mining
