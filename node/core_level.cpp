// What the core does about programs that can do more or less than the cluster has agreed on.

#include <fmt/format.h>

#include "chain/features.h"
#include "node/core_state.h"

namespace eventchain::node {

// Nothing above the block that raised the level was read: the decider stops there by itself.
bool NodeCore::State::ends_outdated() {
  const auto checked = chain::check_program(members.set(), options.feature_level);
  if (!checked) end = Outdated{checked.error().message};
  return !checked.has_value();
}

// A link to an older program stays: over it that program learns that it is too old.
void NodeCore::State::note_level(const PeerUp& input) {
  const chain::Member* member = members.find(input.peer);
  const std::string name = member != nullptr ? member->name : to_hex(input.peer);
  if (!chain::can_follow(members.set(), input.feature_level)) {
    outbox.notice(Notice::Level::kWarning,
                  fmt::format("peer runs a program that is too old peer={} level={} cluster={}; "
                              "install the newer version there",
                              name, input.feature_level, members.set().feature_level));
  } else if (input.feature_level > options.feature_level) {
    outbox.notice(Notice::Level::kInfo,
                  fmt::format("peer runs a newer program peer={} level={} own={}; install it here "
                              "before all voters have it",
                              name, input.feature_level, options.feature_level));
  }
}

}  // namespace eventchain::node
