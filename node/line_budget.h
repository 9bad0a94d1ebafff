#pragma once

#include <cstdint>
#include <optional>
#include <utility>

namespace eventchain::node {

// How many lines of a log may be written: so many in every second, whoever causes them. The time
// comes in as seconds of any steady clock. Not thread-safe.
class LineBudget {
 public:
  explicit LineBudget(std::uint64_t lines_per_second) : most_(lines_per_second) {}

  // How many lines were left out before this one; nullopt if this one is left out too.
  std::optional<std::uint64_t> admit(std::int64_t second) {
    if (second != second_) {
      second_ = second;
      written_ = 0;
    }
    if (written_ >= most_) {
      ++left_out_;
      return std::nullopt;
    }
    ++written_;
    return std::exchange(left_out_, 0);
  }

 private:
  std::uint64_t most_;
  std::int64_t second_ = 0;
  std::uint64_t written_ = 0;  // in this second
  std::uint64_t left_out_ = 0;
};

}  // namespace eventchain::node
