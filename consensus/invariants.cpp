#include "consensus/invariants.h"

#include <fmt/format.h>

namespace eventchain::consensus {

ServerView view_of(ServerId id, const Replica& replica) {
  return {id,
          replica.hard_state(),
          replica.role(),
          replica.last_index(),
          replica.commit_index(),
          replica.applied_index()};
}

std::vector<std::string> check_state(const ServerView& view) {
  std::vector<std::string> broken;
  if (view.applied > view.commit)
    broken.push_back(fmt::format("server {} applied {} beyond its commit index {}", view.id.value,
                                 view.applied.value, view.commit.value));
  if (view.commit > view.last)
    broken.push_back(fmt::format("server {} committed {} beyond its log's end {}", view.id.value,
                                 view.commit.value, view.last.value));
  if (view.role != Role::kFollower && view.hard_state.term == Term{0})
    broken.push_back(fmt::format("server {} stands for election without a term", view.id.value));
  return broken;
}

std::vector<std::string> check_succession(const ServerView& before, const ServerView& after,
                                          bool is_same_run) {
  std::vector<std::string> broken;
  const auto add = [&](const char* what, std::uint64_t from, std::uint64_t to) {
    broken.push_back(
        fmt::format("server {}: {} went from {} to {}", after.id.value, what, from, to));
  };
  const HardState& old_state = before.hard_state;
  const HardState& new_state = after.hard_state;
  if (new_state.term < old_state.term) add("the term", old_state.term.value, new_state.term.value);
  if (new_state.term == old_state.term && old_state.voted_for != ServerId{0} &&
      new_state.voted_for != old_state.voted_for)
    add("the vote within a term", old_state.voted_for.value, new_state.voted_for.value);
  if (is_same_run && after.commit < before.commit)
    add("the commit index", before.commit.value, after.commit.value);
  if (is_same_run && after.applied < before.applied)
    add("the applied index", before.applied.value, after.applied.value);
  return broken;
}

std::vector<std::string> LeaderHistory::observe(const std::vector<ServerView>& views) {
  std::vector<std::string> broken;
  for (const auto& view : views) {
    if (view.role != Role::kLeader) continue;
    const auto [known, is_new] = leaders_.emplace(view.hard_state.term, view.id);
    if (!is_new && known->second != view.id)
      broken.push_back(fmt::format("servers {} and {} both led term {}", known->second.value,
                                   view.id.value, view.hard_state.term.value));
  }
  return broken;
}

}  // namespace eventchain::consensus
