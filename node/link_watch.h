#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>

#include "net/asio/mesh.h"

namespace eventchain::node {

// Remembers when links ended, on the way of what the mesh tells to who acts on it. Owned by the
// daemon; `next` outlives it. The mesh calls from its own thread; unlinked_for() is for any.
class LinkWatch : public net::MeshHandler {
 public:
  explicit LinkWatch(net::MeshHandler& next) : next_(next) {}

  void peer_up(chain::NodeId peer, const net::Hello& hello) override;
  void peer_down(chain::NodeId peer, std::string reason) override;
  void peer_said(chain::NodeId peer, net::Message message) override;
  void peer_refused(chain::NodeId peer, chain::Height as_of) override;

  // How long those have had no link that had one since the start.
  [[nodiscard]] std::map<chain::NodeId, std::chrono::milliseconds> unlinked_for() const;

 private:
  net::MeshHandler& next_;
  mutable std::mutex mutex_;
  // Guarded by mutex_; of nodes that are or were members, so as many as there are blocks with them.
  std::map<chain::NodeId, std::chrono::steady_clock::time_point> ended_;
};

}  // namespace eventchain::node
