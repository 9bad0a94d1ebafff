#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "consensus/invariants.h"
#include "tests/sim/node_host.h"

namespace eventchain::sim {

// Raft's own invariants over what is durable: one leader in each term, terms and votes and commit
// indices that never go back, also over a restart. Hosts are the same servers for ever, whatever
// their part in the cluster is.
class RaftChecker {
 public:
  explicit RaftChecker(std::vector<consensus::ServerId> servers)  // by host
      : servers_(std::move(servers)), views_(servers_.size()) {}

  void committed(const NodeHost& host);
  [[nodiscard]] std::uint64_t elections() const { return elections_; }

 private:
  struct Seen {
    consensus::ServerView view;
    std::uint64_t run = 0;
  };

  const std::vector<consensus::ServerId> servers_;
  std::vector<std::optional<Seen>> views_;
  consensus::LeaderHistory leaders_;
  std::uint64_t elections_ = 0;
};

}  // namespace eventchain::sim
