#include "net/send_queue.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "chain/rng.h"

using namespace eventchain;
using namespace eventchain::net;

namespace {

SharedFrame frame(std::string text) {
  return std::make_shared<const chain::Bytes>(std::move(text));
}

// The same promises, kept slowly: one list, sorted by class when something is taken.
class NaiveQueue {
 public:
  explicit NaiveQueue(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  bool push(Priority priority, const std::string& text) {
    std::size_t bytes = text.size();
    for (const auto& [waiting_priority, waiting] : frames_) bytes += waiting.size();
    is_full_ = is_full_ || bytes > bytes_max_;
    if (!is_full_) frames_.emplace_back(priority, text);
    return !is_full_;
  }

  std::string take(std::size_t bytes) {
    std::stable_sort(frames_.begin(), frames_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::string run;
    while (!frames_.empty() &&
           (run.empty() || run.size() + frames_.front().second.size() <= bytes)) {
      run += frames_.front().second;
      frames_.erase(frames_.begin());
    }
    return run;
  }

  [[nodiscard]] bool empty() const { return frames_.empty(); }

 private:
  std::size_t bytes_max_;
  bool is_full_ = false;
  std::vector<std::pair<Priority, std::string>> frames_;
};

}  // namespace

TEST_CASE("the urgent go first and each class keeps its order") {
  SendQueue queue;
  CHECK(queue.push(Priority::kEvents, frame("e1")) == SendQueue::Verdict::kQueued);
  CHECK(queue.push(Priority::kRaft, frame("r1")) == SendQueue::Verdict::kQueued);
  CHECK(queue.push(Priority::kEvents, frame("e2")) == SendQueue::Verdict::kQueued);
  CHECK(queue.push(Priority::kRaft, frame("r2")) == SendQueue::Verdict::kQueued);
  CHECK(queue.take(4) == "r1r2");
  CHECK(queue.push(Priority::kShares, frame("s1")) == SendQueue::Verdict::kQueued);
  CHECK(queue.take(100) == "s1e1e2");
  CHECK(queue.empty());
  CHECK(queue.take(100).empty());
}

TEST_CASE("a frame larger than a run goes alone") {
  SendQueue queue;
  CHECK(queue.push(Priority::kRaft, frame("ab")) == SendQueue::Verdict::kQueued);
  CHECK(queue.push(Priority::kRaft, frame("a large one")) == SendQueue::Verdict::kQueued);
  CHECK(queue.take(4) == "ab");
  CHECK(queue.take(4) == "a large one");
}

TEST_CASE("a full queue says hang up and nothing is lost before or taken after") {
  SendQueue queue(10);
  CHECK(queue.push(Priority::kRepair, frame("0123456789")) == SendQueue::Verdict::kQueued);
  CHECK(queue.push(Priority::kRaft, frame("!")) == SendQueue::Verdict::kHangUp);
  CHECK(queue.take(100) == "0123456789");
  // There is room again, but the stream of this link has a hole now.
  CHECK(queue.push(Priority::kRaft, frame("!")) == SendQueue::Verdict::kHangUp);
  CHECK(queue.empty());
}

TEST_CASE("the queue does what its naive twin does") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    INFO("seed ", seed);
    chain::Rng rng(seed);
    const auto bytes_max = static_cast<std::size_t>(rng.between(50, 2000));
    SendQueue queue(bytes_max);
    NaiveQueue twin(bytes_max);
    for (int step = 0; step < 100; ++step) {
      if (rng.chance(2, 3)) {
        const auto priority = static_cast<Priority>(rng.below(kPriorities));
        const std::string text(1 + static_cast<std::size_t>(rng.below(60)),
                               static_cast<char>('!' + step % 90));
        const bool queued = queue.push(priority, frame(text)) == SendQueue::Verdict::kQueued;
        REQUIRE(queued == twin.push(priority, text));
      } else {
        const auto bytes = static_cast<std::size_t>(1 + rng.below(200));
        REQUIRE(queue.take(bytes) == twin.take(bytes));
      }
      REQUIRE(queue.empty() == twin.empty());
    }
  }
}
