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
// or checkpoint at the same moment. With Reading::kAnyCopy a file that has no write-ahead log is
// taken for one that nobody writes: nothing is then created beside it, and it may lie where nothing
// can be. Whether somebody began to write it all the same, FileState tells. A file with a log needs
// its index: one that is there, as a running node's is, or a directory where it can be made. One
// with the rollback journal of a change that was cut off is refused.
chain::Result<std::unique_ptr<SQLite::Database>> open_read_only(const std::string& path,
                                                                const chain::Genesis& genesis,
                                                                const StoreOptions& options,
                                                                const Schema& schema = kFullSchema);

// The same without a look at what kind of file it is. Throws SQLite::Exception.
std::unique_ptr<SQLite::Database> open_any_copy(const std::string& path);

}  // namespace eventchain::store
