#pragma once

#include "mining/work.h"
#include "net/messages.h"

namespace eventchain::sim {

// Looks on while a cluster runs, and changes nothing.
class Onlooker {
 public:
  virtual ~Onlooker() = default;
  // A message left over so many links.
  virtual void sent(std::size_t from, const net::Message& message, std::size_t links) = 0;
  virtual void received(std::size_t at, const net::Message& message) = 0;
  // A node has applied the block, and told so.
  virtual void reached(std::size_t node, chain::Height height) = 0;
  virtual void found_share(std::size_t node, const mining::WorkOrder& order) = 0;
  // A node begins to search, or goes over to this order.
  virtual void mines(std::size_t node, const mining::WorkOrder& order) = 0;
  virtual void stops_mining(std::size_t node) = 0;
};

}  // namespace eventchain::sim
