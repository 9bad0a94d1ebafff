#pragma once

#include <SQLiteCpp/Database.h>

#include <memory>
#include <string>

#include "chain/genesis.h"
#include "chain/result.h"
#include "store/sqlite/lock_file.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sqlite_store.h"

namespace eventchain::store {

// The database of a member's own disk, and the lock that keeps other processes away from it. The
// lock outlives the connection.
struct OwnDisk {
  LockFile lock;
  std::unique_ptr<SQLite::Database> database;
  StoreId id;
};

// Opens the disk `id`, of whatever kind of store. Creates the file if there is none and a permit
// for this disk lies beside it (store_id_file.h), which is gone afterwards. Errors: locked by
// another node, a foreign file, a newer schema, another chain, another disk, a disk that was lost,
// trouble with the disk.
chain::Result<OwnDisk> open_own_disk(const std::string& path, const chain::Genesis& genesis,
                                     const StoreId& id, const StoreOptions& options,
                                     const Schema& schema = kFullSchema);

}  // namespace eventchain::store
