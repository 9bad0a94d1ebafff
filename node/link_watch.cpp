#include "node/link_watch.h"

#include <utility>

namespace eventchain::node {

void LinkWatch::peer_up(chain::NodeId peer, const net::Hello& hello) {
  {
    const std::lock_guard lock(mutex_);
    ended_.erase(peer);
  }
  next_.peer_up(peer, hello);
}

void LinkWatch::peer_down(chain::NodeId peer, std::string reason) {
  {
    const std::lock_guard lock(mutex_);
    ended_[peer] = std::chrono::steady_clock::now();
  }
  next_.peer_down(peer, std::move(reason));
}

void LinkWatch::peer_said(chain::NodeId peer, net::Message message) {
  next_.peer_said(peer, std::move(message));
}

void LinkWatch::peer_refused(chain::NodeId peer, chain::Height as_of) {
  next_.peer_refused(peer, as_of);
}

std::map<chain::NodeId, std::chrono::milliseconds> LinkWatch::unlinked_for() const {
  const auto now = std::chrono::steady_clock::now();
  std::map<chain::NodeId, std::chrono::milliseconds> times;
  const std::lock_guard lock(mutex_);
  for (const auto& [peer, ended] : ended_)
    times[peer] = std::chrono::duration_cast<std::chrono::milliseconds>(now - ended);
  return times;
}

}  // namespace eventchain::node
