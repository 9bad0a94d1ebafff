#pragma once

#include <chrono>

#include "chain/types.h"

namespace eventchain::net {

enum class Origin { kDialled, kAccepted };

struct LinkEnds {
  chain::NodeId self;
  chain::NodeId peer;
};

// Two nodes keep one link. When a second connection to the same peer becomes ready, this tells
// whether it takes the old one's place. Both ends must come to the same answer:
// - dialled by the same end: that end lost the old one (nobody dials with a live link), so yes;
// - dialled by different ends at about the same time: the one dialled by the smaller id stays;
// - a crossing can be no older than a handshake, so against a link that is older than
//   `crossing_max` the new one wins: the peer has restarted and we have not noticed yet.
bool replaces(const LinkEnds& ends, Origin old_link, Origin new_link,
              std::chrono::nanoseconds old_age, std::chrono::nanoseconds crossing_max);

}  // namespace eventchain::net
