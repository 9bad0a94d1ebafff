#pragma once

#include <vector>

#include "chain/block.h"
#include "chain/signing.h"

namespace eventchain::chain {

// What a voter signs of a committed block (DESIGN, formats): "I have applied and synced this".
// All but the block's id is in the header too; it is repeated so that a signature can be checked
// without the chain.
Bytes certified_statement(const TemplateHeader& header, const BlockId& id);

struct SlotSignature {
  Slot slot;
  Signature signature;
  bool operator==(const SlotSignature&) const = default;
};

// Signatures of voters on one block: by slot, distinct.
using Certificate = std::vector<SlotSignature>;

// A majority of the voters: as many as it takes to commit. The set is the one that the block's
// header names.
std::size_t certificate_quorum(const MemberSet& members);

}  // namespace eventchain::chain
