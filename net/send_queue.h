#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <memory>

#include "chain/bytes.h"
#include "net/limits.h"
#include "net/messages.h"

namespace eventchain::net {

// One encoded frame, shared by the queues of all the peers it goes to.
using SharedFrame = std::shared_ptr<const chain::Bytes>;

// What waits to be sent to one peer: strict priority classes, in order within a class. Owned by one
// link; one caller at a time; no I/O. Bounded in octets, and it never drops a frame of a live link:
// when a frame does not fit, the peer is too slow and the caller must hang up.
class SendQueue {
 public:
  enum class Verdict { kQueued, kHangUp };

  explicit SendQueue(std::size_t bytes_max = limits::kSendQueueBytesMax) : bytes_max_(bytes_max) {}

  // kHangUp: over the bound; the frame was not taken and nothing later will be.
  [[nodiscard]] Verdict push(Priority priority, SharedFrame frame);
  // Removes the most urgent frames and gives them as one run of octets of at most `bytes`: frames
  // are added while they fit; a larger one goes alone, never after others. "" when empty.
  [[nodiscard]] chain::Bytes take(std::size_t bytes);

  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] bool empty() const { return bytes_ == 0; }

 private:
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  bool overflown_ = false;
  std::array<std::deque<SharedFrame>, kPriorities> classes_;
};

}  // namespace eventchain::net
