#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "mining/work.h"

namespace eventchain::mining {

// A place in the nonce space of one thread: 40 bits of counter in nonce.high, and how far it has
// come with nonce.low there.
struct SearchPosition {
  std::uint64_t counter = 0;
  std::uint32_t word12 = 0;
  bool operator==(const SearchPosition&) const = default;
};

// What one miner thread does, whatever the work function: walks through its own nonces of an order
// in quanta. A port; made, used and destroyed by that thread. No clocks and no locks that a thread
// outside of the miner takes.
//
// The position only goes forward, whatever the orders are: an order that comes a second time is
// continued with nonces that it has not seen, so no share is ever found twice by one Search.
class Search {
 public:
  virtual ~Search() = default;
  // Leaves the current order, if any; `order` goes on from the position reached.
  virtual void switch_to(const WorkOrder& order) = 0;
  // One quantum: appends the shares it meets and returns the number of hashes, which may be 0.
  // Needs an order. Its length is how long a new order or a stop may wait.
  virtual std::uint64_t advance(std::vector<chain::Nonce>& shares) = 0;
};

// Makes the search of the thread with this number. Called on that thread.
using SearchFactory =
    std::function<std::unique_ptr<Search>(std::uint8_t thread, SearchPosition start)>;

}  // namespace eventchain::mining
