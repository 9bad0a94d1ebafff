#pragma once

#include <string>
#include <utility>
#include <vector>

#include "node/effects.h"

namespace eventchain::node {

// Collects a turn's effects in order. The runtime carries them out after the turn is durable, but
// for those that are sent ahead.
class Outbox {
 public:
  // Made in its place: moved as an Effect, g++ 12 at -O3 warns of members of effects it is not.
  template <class One>
  void add(One effect) {
    effects_.emplace_back(std::move(effect));
  }
  void send(chain::NodeId to, net::Message message) { add(Send{{to}, std::move(message)}); }
  void send(std::vector<chain::NodeId> to, net::Message message) {
    if (!to.empty()) add(Send{std::move(to), std::move(message)});
  }
  // For messages that claim nothing of this node's disk. Waiting for the own sync before the voters
  // begin theirs would make every event wait for two.
  void send_ahead(std::vector<chain::NodeId> to, net::Message message) {
    if (!to.empty()) ahead_.push_back(Send{std::move(to), std::move(message)});
  }
  void notice(Notice::Level level, std::string text) { add(Notice{level, std::move(text)}); }
  Effects take() { return {std::exchange(ahead_, {}), std::exchange(effects_, {})}; }

 private:
  std::vector<Send> ahead_;
  std::vector<Effect> effects_;
};

}  // namespace eventchain::node
