#pragma once

#include <filesystem>

#include "chain/checkpoint.h"
#include "chain/result.h"

namespace eventchain::tools {

// A checkpoint that somebody kept. At most 1 MiB; the error names the file.
chain::Result<chain::KnownLog> read_checkpoint_file(const std::filesystem::path& file);

}  // namespace eventchain::tools
