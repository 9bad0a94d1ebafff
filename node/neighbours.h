#pragma once

#include <map>
#include <set>
#include <vector>

#include "chain/members.h"
#include "net/peer_book.h"
#include "node/config.h"

namespace eventchain::node {

// Whom a node may be linked with, and where it reaches them: the members at the addresses they
// have told, and the seeds of its configuration, by which it finds the cluster. A seed's address
// goes before the member's own. A seed that is no member is linked like one that does not vote,
// until a member set has named it, or while this node is no member itself and may know an old set
// only. Light members dial the others and are not dialled: they are no way to anybody. Owned by the
// daemon; one caller at a time.
class Neighbours {
 public:
  // `is_light`: this node is a light member, and links with no other one.
  Neighbours(chain::NodeId self, const std::vector<PeerConfig>& seeds, bool is_light = false);

  // `as_of`: the newest block that was applied. `leaving`: no members any more, whose links stay
  // for now; nobody dials them.
  net::PeerTable table(const chain::MemberSet& members, chain::Height as_of,
                       const std::vector<chain::NodeId>& leaving = {});

 private:
  const chain::NodeId self_;
  const bool is_light_;
  std::map<chain::NodeId, HostPort> seeds_;
  std::set<chain::NodeId> named_;  // seeds that are or were members
};

}  // namespace eventchain::node
