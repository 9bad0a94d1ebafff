#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "chain/genesis.h"
#include "chain/result.h"

namespace eventchain::node {

// genesis.json: the readable spelling of a Genesis. Its hash is that of the canonical bytes, so
// white space and the order of members do not matter; unknown or missing members are errors, and
// every value has one spelling. Checked with chain::check_genesis().
chain::Result<chain::Genesis> parse_genesis(std::string_view json);
std::string format_genesis(const chain::Genesis& genesis);
// At most 1 MiB; the error names the file.
chain::Result<chain::Genesis> load_genesis(const std::filesystem::path& file);

}  // namespace eventchain::node
