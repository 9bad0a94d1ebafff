#pragma once

#include <algorithm>
#include <cstdint>

#include "tests/sim/trace.h"

namespace eventchain::sim {

// A linearizable read sees all that anybody outside had seen of the log before it was asked for,
// be it an announcement of a tip, the place of an event, or another read (I6).
class ReadChecker {
 public:
  // Somebody outside saw a log of this size.
  void seen(std::uint64_t log_size) { seen_ = std::max(seen_, log_size); }
  // What a read that is asked for now must see at least.
  [[nodiscard]] std::uint64_t floor() const { return seen_; }
  void answered(std::size_t node, std::uint64_t floor, std::uint64_t log_size) {
    ++reads_;
    if (log_size < floor)
      throw Violation("I6", fmt::format("a linearizable read of n{} sees {} events where {} had "
                                        "been seen before it was asked for",
                                        node, log_size, floor));
    seen(log_size);
  }
  [[nodiscard]] std::uint64_t reads() const { return reads_; }

 private:
  std::uint64_t seen_ = 0;
  std::uint64_t reads_ = 0;
};

}  // namespace eventchain::sim
