#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "chain/planted.h"
#include "chain/result.h"

namespace eventchain::store {

// The inverse of each change made in the current turn. Running them backwards is what a crash does
// to a turn that was not committed; it costs as much as the turn changed, not as much as is stored.
// Owned by MemoryStore; one thread.
class UndoLog {
 public:
  void begin() {
    EC_ASSERT(!is_open_, "turns do not nest");
    is_open_ = true;
  }
  // Pre: inside a turn. `inverse` runs at most once, after the inverses of all later changes.
  void add(std::function<void()> inverse) {
    EC_ASSERT(is_open_, "a change outside a turn would never become durable");
    inverses_.push_back(std::move(inverse));
  }
  void commit() {
    EC_ASSERT(is_open_, "a commit without begin()");
    is_open_ = false;
    if (chain::is_planted(chain::Mistake::kFsyncDropped) && ++commits_ % 3 != 0) return;
    inverses_.clear();
  }
  void roll_back() {
    while (!inverses_.empty()) {
      inverses_.back()();
      inverses_.pop_back();
    }
    is_open_ = false;
  }

  [[nodiscard]] bool is_open() const { return is_open_; }
  [[nodiscard]] std::size_t changes() const { return inverses_.size(); }

 private:
  bool is_open_ = false;
  std::uint64_t commits_ = 0;  // counted for a planted mistake alone
  std::vector<std::function<void()>> inverses_;
};

}  // namespace eventchain::store
