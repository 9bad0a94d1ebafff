#include "tests/sim/checkers/raft_checker.h"

namespace eventchain::sim {

void RaftChecker::committed(const NodeHost& host) {
  const auto view = consensus::view_of(servers_[host.index()], host.core().replica());
  const auto demand = [](const std::vector<std::string>& broken) {
    if (!broken.empty()) throw Violation("raft", broken.front());
  };
  demand(consensus::check_state(view));
  auto& seen = views_[host.index()];
  const bool led = seen && seen->view.role == consensus::Role::kLeader &&
                   seen->view.hard_state.term == view.hard_state.term;
  if (view.role == consensus::Role::kLeader && !led) ++elections_;
  if (seen) demand(consensus::check_succession(seen->view, view, seen->run == host.run()));
  demand(leaders_.observe({view}));
  seen = Seen{view, host.run()};
}

}  // namespace eventchain::sim
