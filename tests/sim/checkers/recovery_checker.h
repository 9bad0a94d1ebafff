#pragma once

#include <optional>
#include <vector>

#include "tests/sim/node_host.h"

namespace eventchain::sim {

// What a node finds when it starts is what it had at its last commit, as a whole (I12); what it
// holds stays within bounds (I14); and what the pool says of its keys is what the store says.
class RecoveryChecker {
 public:
  explicit RecoveryChecker(std::size_t nodes) : kept_(nodes) {}

  void committed(NodeHost& host);
  void recovered(const NodeHost& host);

 private:
  static void compare_keys(NodeHost& host);

  struct Kept {
    chain::BlockId tip;
    std::uint64_t log_size = 0;
    chain::Hash log_root;
    chain::Hash history_root;
    consensus::LogIndex applied;
    std::size_t pool_events = 0;
    std::size_t pool_bytes = 0;
    bool operator==(const Kept&) const = default;
  };
  // Roots are recomputed only where the tip is another than in `known`.
  static Kept of(const NodeHost& host, const std::optional<Kept>& known);

  std::vector<std::optional<Kept>> kept_;
};

}  // namespace eventchain::sim
