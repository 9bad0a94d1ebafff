#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "chain/types.h"
#include "node/inputs.h"
#include "node/status.h"

namespace eventchain::node {

using StatusQuestion = std::function<void(NodeStatus)>;

// What waits for the core thread. Any thread posts; the core thread takes everything at once, which
// is what makes group commit: whatever arrived while one turn was written goes into the next.
//
// Bounded by bytes for what peers send (post_bounded refuses); clients are bounded by the API.
class Inbox {
 public:
  using Item = std::variant<Input, StatusQuestion>;

  explicit Inbox(std::size_t peer_bytes_max) : peer_bytes_max_(peer_bytes_max) {}

  void post(Item item);
  // False, and nothing is queued, when `bytes` more would exceed the bound.
  bool post_bounded(Item item, std::size_t bytes);
  void close();  // take() returns nullopt from now on

  // Waits until something is there or `until` on the monotonic clock has come (then maybe empty).
  // nullopt once closed. Takes at most `items_max` items, in order of arrival.
  std::optional<std::vector<Item>> take(std::chrono::steady_clock::time_point until,
                                        std::size_t items_max);

 private:
  struct Waiting {
    Item item;
    std::size_t bytes = 0;
  };

  const std::size_t peer_bytes_max_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  // guarded by mutex_
  std::vector<Waiting> items_;
  std::size_t peer_bytes_ = 0;
  bool closed_ = false;
};

}  // namespace eventchain::node
