#pragma once

#include <memory>
#include <optional>

#include "mining/randomx/machine.h"
#include "mining/search.h"

namespace eventchain::mining::randomx {

// The search for the work function randomx-v1: nonce after nonce. A quantum is one hash, some 30 ms
// in light mode. While there is a dataset to build, every other quantum is a piece of that.
//
// Leaves the thread with another floating-point rounding (Machine::next): for threads that do
// nothing else.
class RandomXSearch final : public Search {
 public:
  RandomXSearch(std::shared_ptr<Memory> memory, std::uint8_t thread, SearchPosition start = {});

  void switch_to(const WorkOrder& order) override;
  std::uint64_t advance(std::vector<chain::Nonce>& shares) override;

 private:
  chain::Nonce step();

  // constant after construction
  const std::shared_ptr<Memory> memory_;
  const std::uint8_t thread_;

  // owned by the thread
  std::optional<Machine> machine_;
  SearchPosition position_;  // of the next nonce to begin
  std::optional<WorkOrder> order_;
  chain::Nonce begun_;             // in the machine
  chain::SharePreimage preimage_;  // of it
  bool builds_next_ = true;
};

}  // namespace eventchain::mining::randomx
