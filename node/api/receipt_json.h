#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "chain/receipt.h"

namespace eventchain::node::api {

// The greatest receipt file that is written or read: the largest body, and twenty sets of a
// thousand members.
inline constexpr std::size_t kReceiptBytesMax = std::size_t{16} * 1024 * 1024;

// In `format`: of events, and of blocks.
inline constexpr const char* kReceiptFormat = "eventchain-receipt";
inline constexpr const char* kBlockReceiptFormat = "eventchain-block-receipt";

// A receipt as JSON, in the format of chain/RECEIPTS.md. Without white space.
// Pre: all headers are of receipt.chain. kTooLarge over the limit.
chain::Result<std::string> format_receipt(const chain::Receipt& receipt);

// Foreign text. Strict: one version, no member missing, unknown or twice, one spelling of every
// value; the error names the member and what it must be. Memory: some 12 times the text. Whether it
// proves anything, chain::verify_receipt() tells.
chain::Result<chain::Receipt> parse_receipt(std::string_view text);

}  // namespace eventchain::node::api
