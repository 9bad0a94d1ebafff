#pragma once

#include <condition_variable>
#include <mutex>

// Something that a server's thread brings about and a test waits for.
class Happening {
 public:
  void happen() {
    const std::lock_guard lock(mutex_);
    has_happened_ = true;
    changed_.notify_all();
  }
  void await() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return has_happened_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool has_happened_ = false;  // guarded by mutex_
};
