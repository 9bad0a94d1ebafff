#pragma once

#include <vector>

#include "chain/members.h"
#include "consensus/types.h"

namespace eventchain::store {

// What a peer has shown of its disk.
struct PeerSeen {
  chain::NodeId node;
  chain::StoreId store;
  consensus::Term term;       // the highest it spoke in
  consensus::LogIndex index;  // the highest that its log was seen to reach in that term
  bool operator==(const PeerSeen&) const = default;
};

// Where a node remembers that of its peers. Calls take part in the node's current turn.
class PeerMemory {
 public:
  virtual ~PeerMemory() = default;
  virtual std::vector<PeerSeen> load() = 0;     // by node
  virtual void save(const PeerSeen& seen) = 0;  // in place of what was known of this node
};

}  // namespace eventchain::store
