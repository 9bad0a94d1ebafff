#pragma once

#include <cstddef>

#include "net/messages.h"

namespace eventchain::sim {

// Sits between a node and its links: hears all that the node hears, and speaks in its place. The
// node behind it is none the wiser.
class Mouth {
 public:
  virtual ~Mouth() = default;
  virtual void hears(std::size_t peer, const net::Message& message) = 0;
  // The node would say this; what leaves is up to the mouth (Cluster::utter).
  virtual void says(std::size_t peer, const net::Message& message) = 0;
};

}  // namespace eventchain::sim
