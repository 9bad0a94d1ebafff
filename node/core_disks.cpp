// What the core does about a peer's disk that is not what it was.

#include <fmt/format.h>

#include "node/core_state.h"

namespace eventchain::node {

// For what its disk is; until the link is down it is not listened to.
void NodeCore::State::distrust(const chain::NodeId& peer, const std::string& what) {
  const chain::Member* member = members.find(peer);
  outbox.notice(Notice::Level::kError,
                fmt::format("peer is not to be trusted peer={} why=\"{}\"",
                            member != nullptr ? member->name : to_hex(peer), what));
  outbox.add(HangUp{peer, what});
  distrusted.insert(peer);
  members.link_down(peer);
  fetcher.peer_down(peer);
  catch_up.peer_down(peer);
}

}  // namespace eventchain::node
