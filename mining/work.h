#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "chain/block.h"

namespace eventchain::mining {

// What a miner searches: one template, one slot. Immutable; shared by the threads.
struct WorkOrder {
  chain::TemplateHeader header;
  chain::TemplateHash template_hash;
  chain::Slot slot;
  chain::U256 target;  // expanded share target of the header
  bool operator==(const WorkOrder&) const = default;
};

// A nonce whose share meets the order's target.
struct ShareFound {
  chain::TemplateHash template_hash;
  chain::Nonce nonce;
  bool operator==(const ShareFound&) const = default;
};

// Port between node and miner: threads of the node, or a process of its own.
class Miner {
 public:
  virtual ~Miner() = default;
  // Starts or switches to `order`; the switch reaches every thread within milliseconds.
  virtual void mine(const WorkOrder& order) = 0;
  // Stops within milliseconds; threads wait without using CPU.
  virtual void stop() = 0;
  // Hashes computed since the start, by all threads. For metrics.
  [[nodiscard]] virtual std::uint64_t hashes() const = 0;
};

}  // namespace eventchain::mining
