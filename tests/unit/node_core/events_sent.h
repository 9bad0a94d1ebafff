#pragma once

#include <variant>
#include <vector>

#include "net/messages.h"
#include "node/outbox.h"

namespace eventchain::node::testing {

inline std::vector<net::Events> events_in(const std::vector<Effect>& effects) {
  std::vector<net::Events> result;
  for (const auto& effect : effects) {
    if (const auto* send = std::get_if<Send>(&effect))
      if (const auto* events = std::get_if<net::Events>(&send->message)) result.push_back(*events);
  }
  return result;
}

// What the turn sent; ends it.
inline std::vector<net::Events> sent(Outbox& outbox) {
  const auto effects = outbox.take();
  auto result = events_in(effects.ahead);
  for (auto& later : events_in(effects.when_durable)) result.push_back(later);
  return result;
}

}  // namespace eventchain::node::testing
