// What the core does about disks that are not what they were: a peer's, and its own.

#include <fmt/format.h>

#include "node/core_state.h"

namespace eventchain::node {

void NodeCore::State::said(const chain::NodeId& peer, const net::Seen& message) {
  const chain::Member* self = members.self();
  if (self == nullptr || self->store != message.store || !members.is_voter(peer)) return;
  const consensus::Term term = replica.term();
  const consensus::LogIndex last = replica.last_index();
  if (!is_rolled_back(message, term, last)) return;
  end = RolledBack{fmt::format(
      "this node's disk was put back to an earlier state: it knows term {} and a log up to {}, and "
      "{} has seen it in term {} with a log up to {}. It may have voted and promised what it no "
      "longer knows, so it must not go on; remove the member and let the node join anew, as a new "
      "member with an empty data directory",
      term.value, last.value, members.find(peer)->name, message.term.value, message.index.value)};
}

// For what its disk is; until the link is down it is not listened to.
void NodeCore::State::distrust(const chain::NodeId& peer, const std::string& what) {
  const chain::Member* member = members.find(peer);
  outbox.notice(Notice::Level::kError,
                fmt::format("peer is not to be trusted peer={} why=\"{}\"",
                            member != nullptr ? member->name : to_hex(peer), what));
  outbox.add(HangUp{peer, what});
  distrusted.insert(peer);
  link_lost(peer);
}

}  // namespace eventchain::node
