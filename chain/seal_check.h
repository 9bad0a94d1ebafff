#pragma once

#include <string>

#include "chain/block.h"
#include "chain/genesis.h"
#include "chain/work.h"

// What is wrong with a block's seal, in words for people, as far as it can be told without the
// blocks below and the members; empty if nothing is. For any header, whoever made it; where those
// are known, rules.h tells more.
namespace eventchain::chain {

// All but the shares' hashes: their number and order, the times, and that the target is not easier
// than the chain allows.
std::string seal_fault(const Genesis& genesis, const SealedHeader& sealed);

// Whether each share meets the header's target. `digest` is that of the chain's work function.
std::string work_fault(const ShareDigest& digest, const SealedHeader& sealed);

}  // namespace eventchain::chain
