#pragma once

#include <vector>

#include "chain/certificate.h"
#include "store/chain_reader.h"

namespace eventchain::node::api {

struct MemberSignature {
  chain::Member member;
  chain::Signature signature;
};

// The stored signatures on a block that count for its certificate and that its voters' keys made,
// by slot; others are a damaged disk's.
std::vector<MemberSignature> sound_signatures(store::ChainReader& reader,
                                              const chain::SealedHeader& sealed);

}  // namespace eventchain::node::api
