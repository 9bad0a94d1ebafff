#pragma once

#include <chrono>
#include <memory>

#include "node/port.h"

namespace eventchain::node {

// The cluster's word that this node's readers see all that was committed. Thread-safe, several may
// wait at once; stop() ends their waiting.
class ClusterWord {
 public:
  ClusterWord();

  // Asks, and waits for the answer. True: whatever was committed before the call is seen now.
  // False: nobody could say so in time, or this was stopped.
  bool has_said(NodePort& port, std::chrono::milliseconds timeout);
  // For good. An answer may still come after it, and when this is gone.
  void stop();

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace eventchain::node
