#include "net/send_queue.h"

#include <utility>

#include "chain/result.h"

namespace eventchain::net {

SendQueue::Verdict SendQueue::push(Priority priority, SharedFrame frame) {
  EC_ASSERT(frame != nullptr && !frame->empty(), "a frame has at least its header");
  if (overflown_ || frame->size() > bytes_max_ - bytes_) {
    overflown_ = true;
    return Verdict::kHangUp;
  }
  bytes_ += frame->size();
  classes_[static_cast<std::size_t>(priority)].push_back(std::move(frame));
  return Verdict::kQueued;
}

chain::Bytes SendQueue::take(std::size_t bytes) {
  chain::Bytes run;
  for (std::deque<SharedFrame>& frames : classes_) {
    while (!frames.empty() && run.size() < bytes) {
      const chain::Bytes& frame = *frames.front();
      if (!run.empty() && run.size() + frame.size() > bytes) return run;
      run.append(frame);
      bytes_ -= frame.size();
      frames.pop_front();
    }
  }
  return run;
}

}  // namespace eventchain::net
