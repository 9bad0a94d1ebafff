#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>

#include <semaphore.h>

#include "chain/types.h"

// How a miner thread exchanges values with the rest without a lock. A miner thread runs at idle
// priority: on a busy host it may stand still for long, and if it stood still with a mutex locked,
// the node's consensus would stand still with it.
namespace eventchain::mining {

// The newest value one writer has put; older ones are overwritten unread. One reader, one writer,
// both wait-free: three slots, of which each side owns one and the third changes hands.
template <class T>
class LatestValue {
 public:
  void put(const T& value) {
    slots_[writing_] = value;
    writing_ = middle_.exchange(writing_ | kFresh) & kSlotMask;
  }

  // Whether take() would return something. One load.
  [[nodiscard]] bool is_fresh() const {
    return (middle_.load(std::memory_order_relaxed) & kFresh) != 0;
  }

  // The newest value, once; nullptr if it was taken before. Valid until the next take().
  const T* take() {
    if (!is_fresh()) return nullptr;
    reading_ = middle_.exchange(reading_) & kSlotMask;
    return &slots_[reading_];
  }

 private:
  static constexpr std::uint32_t kFresh = 4;
  static constexpr std::uint32_t kSlotMask = 3;

  std::array<T, 3> slots_{};
  alignas(64) std::atomic<std::uint32_t> middle_{0};
  alignas(64) std::uint32_t writing_ = 1;  // owned by the writer
  alignas(64) std::uint32_t reading_ = 2;  // owned by the reader
};

// A bounded queue from one thread to one other. Sequentially consistent throughout: it carries a
// few values a second, and a sleeping writer relies on the order of its flag and these counters.
template <class T, std::size_t kCapacity>
class SharedQueue {
 public:
  // False when full.
  bool push(const T& value) {
    const std::uint64_t end = end_.load();
    if (end - begin_.load() == kCapacity) return false;
    slots_[end % kCapacity] = value;
    end_.store(end + 1);
    return true;
  }

  std::optional<T> pop() {
    const std::uint64_t begin = begin_.load();
    if (begin == end_.load()) return std::nullopt;
    const T value = slots_[begin % kCapacity];
    begin_.store(begin + 1);
    return value;
  }

 private:
  std::array<T, kCapacity> slots_{};
  alignas(64) std::atomic<std::uint64_t> begin_{0};
  alignas(64) std::atomic<std::uint64_t> end_{0};
};

// Wakes a waiting thread. A POSIX semaphore, because notifying it takes no lock, which a condition
// variable cannot offer without losing wake-ups. Wake-ups may be spurious: look again after each.
class WakeUp {
 public:
  WakeUp() { sem_init(&semaphore_, 0, 0); }
  ~WakeUp() { sem_destroy(&semaphore_); }
  WakeUp(const WakeUp&) = delete;
  WakeUp& operator=(const WakeUp&) = delete;

  void notify() { sem_post(&semaphore_); }
  void wait() { sem_wait(&semaphore_); }
  // Returns at `deadline` on the monotonic clock at the latest.
  void wait_until(chain::Instant deadline) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(deadline.since_start);
    const timespec at{.tv_sec = seconds.count(),
                      .tv_nsec = (deadline.since_start - seconds).count()};
    sem_clockwait(&semaphore_, CLOCK_MONOTONIC, &at);
  }
  // Forgets notifications nobody waited for, so that the next wait() does wait.
  void forget() {
    while (sem_trywait(&semaphore_) == 0) {
    }
  }

 private:
  sem_t semaphore_;
};

}  // namespace eventchain::mining
