#pragma once

#include <filesystem>

#include "tools/eventchain/openssl_handles.h"

namespace eventchain::tools {

chain::Result<Key> load_key(const std::filesystem::path& path);

// The key that an earlier, interrupted try left there, or a new one of make()'s, written there
// (0600).
chain::Result<Key> key_at(const std::filesystem::path& path, chain::Result<Key> (*make)());

}  // namespace eventchain::tools
