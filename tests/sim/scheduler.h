#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "chain/types.h"

namespace eventchain::sim {

// Virtual time since the simulation began. Nodes never see it; they have clocks of their own.
using Time = chain::Instant;
using Span = std::chrono::nanoseconds;

// The queue of everything that will happen, ordered by time and, within a moment, by the order in
// which it was asked for. One thread; the only source of progress in a simulation.
class Scheduler {
 public:
  using Action = std::function<void()>;

  [[nodiscard]] Time now() const { return now_; }
  // Pre: not in the past.
  void at(Time when, Action action);
  void after(Span span, Action action) { at(now_ + span, std::move(action)); }
  // Runs the next action; false if there is none.
  bool step();
  // Runs everything up to `until`, which is the time afterwards.
  void run_until(Time until);
  [[nodiscard]] std::uint64_t executed() const { return executed_; }

 private:
  struct Item {
    Time when;
    std::uint64_t sequence;
    Action action;
    // For a heap whose top is the earliest.
    bool operator<(const Item& other) const {
      return when != other.when ? when > other.when : sequence > other.sequence;
    }
  };

  Time now_;
  std::uint64_t next_sequence_ = 0;
  std::uint64_t executed_ = 0;
  std::vector<Item> heap_;
};

}  // namespace eventchain::sim
