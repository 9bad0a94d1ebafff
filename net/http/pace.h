#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace eventchain::net::http {

// Whether octets pass fast enough. Time is cut into windows: each must see its share of octets
// before it is over, and the next begins when it has. An average over the whole transfer would let
// a client that was quick at first stand still for hours; here nothing is saved up beyond a window.
// A value of one connection; whoever owns it brings the time.
class Pace {
 public:
  using Time = std::chrono::steady_clock::time_point;

  Pace(std::chrono::milliseconds window, std::size_t octets_per_second)
      : window_(window),
        share_(std::max<std::size_t>(
            octets_per_second * static_cast<std::size_t>(window.count()) / 1000, 1)) {}

  void begin(Time now) {
    began_ = now;
    passed_ = 0;
  }
  void pass(std::size_t octets, Time now) {
    passed_ += octets;
    if (passed_ >= share_) begin(now);
  }
  [[nodiscard]] bool is_late(Time now) const { return now > began_ + window_; }

 private:
  std::chrono::milliseconds window_;
  std::size_t share_;  // octets that each window must see, at least one
  Time began_;
  std::size_t passed_ = 0;  // in this window
};

}  // namespace eventchain::net::http
