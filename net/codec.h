#pragma once

#include "chain/bytes.h"
#include "chain/result.h"
#include "net/messages.h"

namespace eventchain::net {

// Protobuf bytes of one message (the payload of a frame).
chain::Bytes encode(const Message& message);

// Distrusts every field: sizes, counts, enum values, canonical inner encodings, Raft's own
// well-formedness (non-zero ids and terms, prev term iff prev index). Never allocates more than a
// small multiple of the input. kMalformed or kTooLarge names the field.
chain::Result<Message> decode(chain::ByteView bytes);

}  // namespace eventchain::net
