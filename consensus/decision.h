#pragma once

#include <cstdint>

#include "chain/block.h"
#include "chain/result.h"
#include "consensus/types.h"

// The replicated state machine's one decision: "this block is canonical at its height". Raft orders
// decisions but does not deduplicate them, so every node must judge each one by the log alone.
namespace eventchain::consensus {

enum class Judgement : std::uint8_t {
  kExtends,   // the next block: apply it
  kRepeated,  // this node has the height already: nothing to do
  kStale,     // its parent is not the tip it would extend: it lost, for everybody alike
  kAhead,     // blocks between the tip and this one are not applied here yet
};

// `tip` is the block the node has applied last.
Judgement judge(const chain::SealedHeader& decided, chain::Height tip_height,
                const chain::BlockId& tip);

// Payload of a command entry.
Bytes encode_decision(const chain::SealedHeader& decided);
chain::Result<chain::SealedHeader> decode_decision(const Entry& entry);

// State carried by a Raft snapshot: where the chain stood. The chain itself is in the store and
// travels by block catch-up.
struct ChainPoint {
  chain::Height height;
  chain::BlockId id;
  bool operator==(const ChainPoint&) const = default;
};
Bytes encode_chain_point(const ChainPoint& point);
chain::Result<ChainPoint> decode_chain_point(chain::ByteView bytes);

}  // namespace eventchain::consensus
