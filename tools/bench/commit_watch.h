#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tools/bench/plain_http.h"

namespace eventchain::bench {

// Measures how long a sealed block takes to be committed on every node, as clients see it: asks
// each node for the next header again and again, and compares the moment of the first answer that
// has it with the header's `sealed_at`. Both are wall-clock times of one machine. The figures err
// upwards, by the polling period, one request, and the millisecond that `sealed_at` is cut to.
//
// Lifecycle: construct (starts one thread per node), finish() once.
class CommitWatch {
 public:
  CommitWatch(const std::vector<Address>& nodes, std::chrono::microseconds period);
  ~CommitWatch();
  CommitWatch(const CommitWatch&) = delete;
  CommitWatch& operator=(const CommitWatch&) = delete;

  struct Delays {
    std::vector<double> last;                  // ms until the last node had it; sorted
    std::vector<std::vector<double>> by_node;  // ms for each node; sorted
  };
  // Blocks that were seen by all nodes.
  Delays finish();

 private:
  void watch(std::size_t node, const Address& address);

  const std::chrono::microseconds period_;
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  // guarded by mutex_: height -> ms by node
  std::map<std::uint64_t, std::map<std::size_t, double>> seen_;
};

}  // namespace eventchain::bench
