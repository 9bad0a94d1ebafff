#pragma once

#include "chain/result.h"
#include "consensus/types.h"
#include "net/wire.pb.h"

// Raft's part of the codec. The Raft library takes malformed messages for impossible, so what it
// relies on is checked here.
namespace eventchain::net {

void encode_raft(const consensus::Envelope& envelope, wire::Raft& into);
chain::Result<consensus::Envelope> decode_raft(wire::Raft from);

}  // namespace eventchain::net
