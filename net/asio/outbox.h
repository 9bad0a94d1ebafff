#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "net/asio/mesh.h"
#include "net/send_queue.h"

namespace eventchain::net {

// Where any thread leaves frames for one link, and the link's thread fetches them. Made by the
// session, which is told through `on_change` (called under the lock, must only post) when there is
// something to do: frames after none, or a wish to end the link. Closed by the session when the
// link ends; what is left or comes later vanishes, and peer_down has told the core.
class Outbox {
 public:
  struct Wish {
    Ending ending;
    std::string reason;
  };

  explicit Outbox(std::function<void()> on_change) : on_change_(std::move(on_change)) {}

  // True if the frame waits for a live link now.
  bool push(Priority priority, SharedFrame frame);
  void ask_to_end(Wish wish);
  void close();

  [[nodiscard]] chain::Bytes take(std::size_t bytes);
  [[nodiscard]] std::optional<Wish> wish() const;

 private:
  mutable std::mutex mutex_;
  // guarded by mutex_
  bool closed_ = false;
  SendQueue queue_;
  std::optional<Wish> wish_;
  std::function<void()> on_change_;
};

// The live links' outboxes by peer. Any thread.
class OutboxTable {
 public:
  void put(chain::NodeId peer, std::shared_ptr<Outbox> outbox);
  void remove(chain::NodeId peer);
  [[nodiscard]] std::shared_ptr<Outbox> find(chain::NodeId peer) const;

 private:
  mutable std::mutex mutex_;
  std::map<chain::NodeId, std::shared_ptr<Outbox>> outboxes_;  // guarded by mutex_
};

}  // namespace eventchain::net
