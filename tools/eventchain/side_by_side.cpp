#include "tools/eventchain/side_by_side.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace eventchain::tools {

void side_by_side(unsigned threads, const std::function<void()>& work,
                  const std::function<void()>& tell) {
  constexpr std::chrono::milliseconds kPause{50};
  std::mutex mutex;
  std::condition_variable finished;
  unsigned running = std::max(1U, threads);  // guarded by mutex
  std::vector<std::thread> all;
  for (unsigned i = running; i > 0; --i)
    all.emplace_back([&] {
      work();
      const std::lock_guard lock(mutex);
      --running;
      finished.notify_one();
    });
  {
    std::unique_lock lock(mutex);
    while (!finished.wait_for(lock, kPause, [&running] { return running == 0; })) {
      lock.unlock();
      tell();
      lock.lock();
    }
  }
  for (std::thread& thread : all) thread.join();
  tell();
}

}  // namespace eventchain::tools
