#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <utility>

#include "store/chain_store.h"

// Rows of a damaged file need not come in the order of their keys, nor from the range that was
// asked for: SQLite goes to the first and believes the tree. Whoever reads on from the last of them
// could go round for ever, and pages that name one another have rows without end: twenty levels
// (SQLite's limit) of a hundred ways each. In a whole tree every row stands behind the one before
// it; where that is asked of each, no cell is read twice, and a file has an end.
namespace eventchain::store {

// Numbers of a range, each more than the one before.
struct Ascending {
  std::uint64_t next;
  std::uint64_t end;
  // Throws StoreFailure.
  void take(std::uint64_t key) {
    if (key < next || key >= end)
      throw StoreFailure(
          fmt::format("the row of {} stands where those from {} on should", key, next));
    next = key + 1;
  }
};

// Keys of any kind, each behind the one before.
template <class Key>
class Ordered {
 public:
  // Throws StoreFailure.
  void take(Key key) {
    if (last_ && !(*last_ < key))
      throw StoreFailure(fmt::format("its row {} does not stand behind the one before it", rows_));
    last_ = std::move(key);
    ++rows_;
  }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }

 private:
  std::optional<Key> last_;
  std::uint64_t rows_ = 0;
};

}  // namespace eventchain::store
