#pragma once

#include <optional>
#include <vector>

#include "consensus/invariants.h"
#include "tests/sim/node_host.h"

namespace eventchain::sim {

// Raft's own invariants over what is durable: one leader in each term, terms and votes and commit
// indices that never go back, also over a restart.
class RaftChecker {
 public:
  explicit RaftChecker(std::size_t nodes) : views_(nodes) {}

  void committed(const NodeHost& host);
  [[nodiscard]] std::uint64_t elections() const { return elections_; }

 private:
  struct Seen {
    consensus::ServerView view;
    std::uint64_t run = 0;
  };

  std::vector<std::optional<Seen>> views_;
  consensus::LeaderHistory leaders_;
  std::uint64_t elections_ = 0;
};

}  // namespace eventchain::sim
