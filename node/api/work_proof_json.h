#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "chain/work_proof.h"

namespace eventchain::node::api {

// The greatest work proof file that is written or read.
inline constexpr std::size_t kWorkProofBytesMax = std::size_t{16} * 1024 * 1024;

// A work proof as JSON, in the format of chain/WORK_PROOFS.md. Without white space. kTooLarge over
// the limit.
chain::Result<std::string> format_work_proof(const chain::WorkProof& proof);

// Foreign text. Strict: one version, no member missing, unknown or twice, one spelling of every
// value; the error names the member and what it must be. Memory: some 12 times the text. Whether it
// proves anything, chain::verify_work_proof() tells.
chain::Result<chain::WorkProof> parse_work_proof(std::string_view text);

}  // namespace eventchain::node::api
