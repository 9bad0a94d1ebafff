#pragma once

#include <vector>

#include "chain/block.h"
#include "chain/certificate.h"
#include "chain/members.h"

namespace eventchain::node {

// Two histories of one chain that majorities of the same voters signed. At least one voter signed
// both, which no correct one does; so this proves, to anybody who has the members' keys, that
// voters lied or were restored from a copy. It does not say which of the histories is the true one.
struct Evidence {
  // This node's tip, and the signatures on it that it holds; a majority unless the block is new.
  chain::SealedHeader own;
  chain::Certificate own_signatures;
  // From the height above it on, and not on top of it: each names the one before as its parent, and
  // the last is certified.
  std::vector<chain::SealedHeader> others;
  chain::Certificate others_signatures;
  chain::MembersRef members;  // that the headers name
};

}  // namespace eventchain::node
