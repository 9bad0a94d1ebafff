#pragma once

#include <optional>
#include <vector>

#include "chain/types.h"
#include "node/effects.h"
#include "node/inputs.h"
#include "node/status.h"

namespace eventchain::node {

// A node as a deterministic machine, whatever it keeps: NodeCore, and LightCore for a light member.
// The same store content, inputs and times give the same effects. One caller at a time; never
// blocks but in the store.
//
// The runtime drives it in turns: turns.begin(); handle() any number of inputs; take_effects();
// turns.commit(); carry out the effects. Within a turn the machine sees its own writes; nothing
// that rests on them is known to anyone before commit() returned.
//
// A turn may stay open for more inputs: step() says until when it may, and what may leave already.
class Machine {
 public:
  virtual ~Machine() = default;

  virtual void start(const chain::Now& now) = 0;  // inside a turn; before the first handle()
  virtual void handle(const chain::Now& now, Input input) = 0;

  struct Step {
    std::vector<Effect> ahead;
    // When the turn is to be committed; not after `now` if anybody waits for it.
    chain::Instant commit_by;
  };
  // Follows up on the inputs handled so far. Call after the last one that is there.
  virtual Step step(const chain::Now& now) = 0;
  virtual Effects take_effects() = 0;  // ends the turn; follows up by itself
  // Send Woke then, if nothing came before.
  [[nodiscard]] virtual chain::Instant next_wakeup() const = 0;
  [[nodiscard]] virtual NodeStatus status() const = 0;
  // When this node last knew that it had applied all that was committed, up to the time a message
  // takes; nullopt if it never did.
  [[nodiscard]] virtual std::optional<chain::Instant> as_of() const = 0;
  // The highest block with signatures of a majority of voters.
  [[nodiscard]] virtual chain::Height certified() const = 0;
};

}  // namespace eventchain::node
