#pragma once

#include <filesystem>
#include <string_view>

#include "chain/receipt.h"
#include "chain/result.h"

// Checkpoints that somebody kept (C2SP tlog-checkpoint): origin, size and root of a log, a line
// each.
namespace eventchain::tools {

// What follows the three lines (extensions, signatures) is not looked at: the reader believes the
// file, because it is his own or somebody's whom he trusts.
chain::Result<chain::KnownLog> parse_checkpoint(std::string_view text);
// At most 1 MiB; the error names the file.
chain::Result<chain::KnownLog> read_checkpoint_file(const std::filesystem::path& file);

}  // namespace eventchain::tools
