#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "node/effects.h"

namespace eventchain::node {

// Collects a turn's effects in order. The runtime carries them out after the turn is durable, but
// for those that are sent ahead. Taking the effects ends the turn.
class Outbox {
 public:
  // The number of the turn in hand. What an earlier one wrote is durable by now.
  [[nodiscard]] std::uint64_t turn() const { return turn_; }
  [[nodiscard]] bool is_empty() const { return effects_.empty(); }  // but for what goes ahead

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
    if (!to.empty()) ahead_.emplace_back(Send{std::move(to), std::move(message)});
  }
  // An answer that speaks of other nodes' disks alone, or of what an earlier turn wrote here.
  void answer_ahead(Answer answer) { ahead_.emplace_back(std::move(answer)); }
  void notice(Notice::Level level, std::string text) { add(Notice{level, std::move(text)}); }
  std::vector<Effect> take_ahead() { return std::exchange(ahead_, {}); }
  Effects take() {
    ++turn_;
    return {std::exchange(ahead_, {}), std::exchange(effects_, {})};
  }

 private:
  std::uint64_t turn_ = 1;
  std::vector<Effect> ahead_;
  std::vector<Effect> effects_;
};

}  // namespace eventchain::node
