#include "tests/sim/scheduler.h"

#include <algorithm>
#include <utility>

#include "chain/result.h"

namespace eventchain::sim {

void Scheduler::at(Time when, Action action) {
  EC_ASSERT(when >= now_, "nothing happens in the past");
  heap_.push_back({when, next_sequence_++, std::move(action)});
  std::push_heap(heap_.begin(), heap_.end());
}

bool Scheduler::step() {
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end());
  Item item = std::move(heap_.back());
  heap_.pop_back();
  now_ = item.when;
  ++executed_;
  item.action();
  return true;
}

void Scheduler::run_until(Time until) {
  while (!heap_.empty() && heap_.front().when <= until) step();
  now_ = std::max(now_, until);
}

}  // namespace eventchain::sim
