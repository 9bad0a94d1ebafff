#pragma once

#include <map>

#include "chain/types.h"
#include "node/members.h"

namespace eventchain::node {

// Whether this node was removed while it was away. Who is no member gets no link, so it never sees
// the block that removed it, and would knock for ever. Peers that refuse it say as of which block.
// Owned by the core.
class Dismissal {
 public:
  void refused(const chain::NodeId& peer, chain::Height as_of) { refusals_[peer] = as_of; }
  void linked(const chain::NodeId& peer) { refusals_.erase(peer); }

  // A majority of the other voters that this node knows have refused it as of blocks above its tip.
  // Fewer may lie, or speak of a time before it was admitted. False for a node that is no member by
  // what it knows itself: it may be the others who do not know of it yet.
  [[nodiscard]] bool is_certain(const Members& members, chain::Height tip) const;

 private:
  std::map<chain::NodeId, chain::Height> refusals_;  // of members, so no more than were ever
};

}  // namespace eventchain::node
