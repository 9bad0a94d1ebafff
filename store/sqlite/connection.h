#pragma once

#include <SQLiteCpp/Database.h>

#include <memory>
#include <string>

#include "chain/genesis.h"
#include "chain/result.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sqlite_store.h"

namespace eventchain::store {

// Opens, checks and prepares (see schema.h). WAL with synchronous=FULL: with NORMAL a power cut
// loses turns that were acknowledged.
chain::Result<std::unique_ptr<SQLite::Database>> open_writer(const std::string& path,
                                                             const chain::Genesis& genesis,
                                                             const Disk& disk,
                                                             const StoreOptions& options,
                                                             const Schema& schema = kFullSchema);

// Read-only, and never checkpoints: SQLite before 3.51.3 can lose pages when two connections write
// or checkpoint at the same moment.
chain::Result<std::unique_ptr<SQLite::Database>> open_read_only(const std::string& path,
                                                                const chain::Genesis& genesis,
                                                                const StoreOptions& options,
                                                                const Schema& schema = kFullSchema);

}  // namespace eventchain::store
