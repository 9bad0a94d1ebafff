#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "chain/evidence.h"

namespace eventchain::node::api {

// The greatest file of evidence that is written or read: two of the greatest receipts.
inline constexpr std::size_t kEvidenceBytesMax = std::size_t{32} * 1024 * 1024;

// Evidence as JSON, in the format of chain/RECEIPTS.md. Without white space.
// Pre: checkpoints are signed, and the first part is one only if the second is. kTooLarge over the
// limit.
chain::Result<std::string> format_evidence(const chain::Evidence& evidence);

// Foreign text, as strict as parse_receipt(). Whether it proves anything, chain::verify_evidence()
// tells.
chain::Result<chain::Evidence> parse_evidence(std::string_view text);

}  // namespace eventchain::node::api
