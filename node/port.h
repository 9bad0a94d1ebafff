#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "node/effects.h"
#include "node/inputs.h"
#include "node/status.h"

namespace eventchain::node {

// The running node as its API sees it. Thread-safe; callbacks run on the node's core thread and
// must only hand over (post) what they got.
class NodePort {
 public:
  virtual ~NodePort() = default;
  virtual void submit(std::vector<chain::HeldEvent> events, WaitFor wait,
                      std::chrono::milliseconds timeout, std::function<void(Answer)> done) = 0;
  // An event leaves the pending ones when the store's readers see its block, not before.
  virtual void ask_pending(const chain::EventKey& key,
                           std::function<void(std::optional<PendingLookup>)> done) = 0;
  // `done(true)` once the readers see all that was committed before the call; `done(false)` if that
  // could not be found out in time.
  virtual void ask_read(std::chrono::milliseconds timeout, std::function<void(bool)> done) = 0;
  // Hands an order to the leader. `done` once a block has it and this node has applied that, or
  // with why not.
  virtual void order(net::Order order, std::chrono::milliseconds timeout,
                     std::function<void(OrderAnswer)> done) = 0;
  // This node is to be stopped soon, or not any more. A status asked for afterwards shows it.
  virtual void drain(bool wants) = 0;
  // How long ago this node last knew that it had applied all that was committed, but for the time
  // that a message takes; nullopt if it never did.
  [[nodiscard]] virtual std::optional<std::chrono::milliseconds> age() const = 0;
  // The highest final block, as of the last durable turn.
  [[nodiscard]] virtual chain::Height certified() const = 0;
  virtual void ask_status(std::function<void(NodeStatus)> done) = 0;
  // Called after every commit until unsubscribed.
  virtual std::uint64_t subscribe(std::function<void(const TipMoved&)> on_tip) = 0;
  virtual void unsubscribe(std::uint64_t subscription) = 0;
  // Fresh 32-octet salts from the operating system's generator.
  virtual chain::Salt draw_salt() = 0;
};

}  // namespace eventchain::node
