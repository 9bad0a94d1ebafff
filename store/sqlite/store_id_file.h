#pragma once

#include <filesystem>
#include <optional>

#include "chain/members.h"
#include "chain/result.h"

// The permit to make a database: a file "store-id" in the data directory that names the disk of the
// member it is for. Written once, when the node is set up, and removed when the database is there.
// Without it a member whose disk was lost would start with an empty one under its old identity, and
// could vote a second time where it has voted before.
namespace eventchain::store {

// Makes the directory (0700) if there is none and the file (0600). Errors: a database is there
// already, or a permit for another disk.
chain::Result<void> write_store_id(const std::filesystem::path& directory,
                                   const chain::StoreId& id);
// nullopt if there is no such file, or no such directory.
chain::Result<std::optional<chain::StoreId>> read_store_id(const std::filesystem::path& directory);
// Returns when it is gone from the disk.
chain::Result<void> remove_store_id(const std::filesystem::path& directory);

}  // namespace eventchain::store
