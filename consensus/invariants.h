#pragma once

#include <map>
#include <string>
#include <vector>

#include "consensus/replica.h"
#include "consensus/types.h"

// Raft's invariants as executable checks, for tests and the simulator. Each returns what is broken,
// as text; empty means that all hold.
namespace eventchain::consensus {

// What can be seen of one server at one moment.
struct ServerView {
  ServerId id;
  HardState hard_state;
  Role role = Role::kFollower;
  LogIndex last;
  LogIndex commit;
  LogIndex applied;
};

[[nodiscard]] ServerView view_of(ServerId id, const Replica& replica);

// On one state: applied <= commit <= last; a leader or candidate has a term.
[[nodiscard]] std::vector<std::string> check_state(const ServerView& view);

// On two successive states of one server: the term never falls; the vote, once given, does not
// change within a term; within one run the commit index and the applied index never fall.
// `is_same_run` is false if the server was restarted in between.
[[nodiscard]] std::vector<std::string> check_succession(const ServerView& before,
                                                        const ServerView& after, bool is_same_run);

// Election safety over time: at most one leader in each term.
class LeaderHistory {
 public:
  [[nodiscard]] std::vector<std::string> observe(const std::vector<ServerView>& views);

 private:
  std::map<Term, ServerId> leaders_;
};

}  // namespace eventchain::consensus
