#pragma once

#include <map>
#include <optional>

#include "consensus/types.h"
#include "net/messages.h"
#include "store/peer_memory.h"

namespace eventchain::node {

// Remembers for each voter how far it has shown its disk to be: the highest term it spoke Raft in,
// and the highest index that its log was certain to reach in that term. A disk that is put back to
// an older copy has forgotten votes and entries that others count on. Both sides can notice it: the
// peer when it is told, and we when it speaks as if it knew less.
//
// What a correct node never does: its term never falls, and what it and the leader of a term agreed
// on stays in its log during that term. A later leader may cut the log short; therefore the index
// counts in its own term only. Polls (pre-votes) name a term that nobody is in yet; they say
// nothing. A link's messages are compared with what was known when it came up: what was sent
// before, on an older link, is lost or was heard before.
//
// Owned by the core. One entry for each voter there ever was. Memory alone is enough to be true; it
// is written with turns that are written anyway.
class Witness {
 public:
  explicit Witness(store::PeerMemory& memory);

  // A new link; what the peer is to be told of itself.
  std::optional<net::Seen> peer_up(const chain::NodeId& peer, const chain::StoreId& store);
  // False: its disk was rolled back. Pre: the peer is linked.
  [[nodiscard]] bool heard(const chain::NodeId& peer, const consensus::RaftMessage& message);
  // Writes what has grown since the last time.
  void save();

 private:
  struct Peer {
    store::PeerSeen seen;
    store::PeerSeen at_link_up;
    bool has_grown = false;
  };

  store::PeerMemory& memory_;
  std::map<chain::NodeId, Peer> peers_;
};

// Whether a node that is in this term, with a log up to `last`, has been further before.
[[nodiscard]] bool is_rolled_back(const net::Seen& told, consensus::Term term,
                                  consensus::LogIndex last);

}  // namespace eventchain::node
