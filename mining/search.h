#pragma once

#include <cstdint>
#include <vector>

#include "mining/sha256_search.h"
#include "mining/work.h"

namespace eventchain::mining {

// A place in the nonce space of one thread: `counter` is the first of a tile's 128 consecutive
// counters (modulo 2^40), `word12` the next row of it.
struct SearchPosition {
  std::uint64_t counter = 0;
  std::uint32_t word12 = 0;
  bool operator==(const SearchPosition&) const = default;
};

// What one miner thread does: walks through its own nonces of an order in quanta of well under a
// millisecond. Owned by that thread; no clocks, no threads, no locks inside.
//
// The position only goes forward, whatever the orders are: an order that comes a second time is
// continued with nonces that it has not seen, so no share is ever found twice by one Search.
class Search {
 public:
  Search(const kernels::Kernel& kernel, std::uint8_t thread, SearchPosition start = {});

  // Leaves the current order, if any; `order` goes on from the position reached.
  void switch_to(const WorkOrder& order);

  // One quantum: appends the shares it meets and returns the number of hashes. Needs an order.
  std::uint64_t advance(std::vector<chain::Nonce>& shares);

  [[nodiscard]] const SearchPosition& position() const { return position_; }

 private:
  void load_tile();

  // constant after construction
  const std::uint8_t thread_;

  // owned by the thread
  Sha256Search sha256_;
  chain::Slot slot_;
  SearchPosition position_;
  bool has_order_ = false;
};

}  // namespace eventchain::mining
