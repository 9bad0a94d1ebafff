#pragma once

#include <string>
#include <utility>
#include <vector>

#include "node/effects.h"

namespace eventchain::node {

// Collects a turn's effects in order. The runtime carries them out after the turn is durable.
class Outbox {
 public:
  void add(Effect effect) { effects_.push_back(std::move(effect)); }
  void send(chain::NodeId to, net::Message message) {
    effects_.push_back(Send{{to}, std::move(message)});
  }
  void send(std::vector<chain::NodeId> to, net::Message message) {
    if (!to.empty()) effects_.push_back(Send{std::move(to), std::move(message)});
  }
  void notice(Notice::Level level, std::string text) {
    effects_.push_back(Notice{level, std::move(text)});
  }
  std::vector<Effect> take() { return std::exchange(effects_, {}); }

 private:
  std::vector<Effect> effects_;
};

}  // namespace eventchain::node
