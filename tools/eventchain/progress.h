#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace eventchain::tools {

// How far long work has come: one line rewritten in place on a terminal, otherwise a plain line
// now and then. Writes to standard error, so that results can be piped. One thread.
class Progress {
 public:
  // `total` 0: not known yet. `unit` in the plural, e.g. "events".
  Progress(std::string what, std::string unit, std::uint64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void set_total(std::uint64_t total) { total_ = total; }
  // Cheap when called often; draws at most a few times a second.
  void update(std::uint64_t done);
  // Draws the final state once and ends the line.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  void draw(Clock::time_point now);

  std::string what_;
  std::string unit_;
  std::uint64_t total_;
  std::uint64_t done_ = 0;
  bool is_terminal_;
  bool finished_ = false;
  Clock::time_point started_;
  Clock::time_point drawn_;
};

}  // namespace eventchain::tools
