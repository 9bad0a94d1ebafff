#pragma once

#include <SQLiteCpp/Database.h>

#include <memory>
#include <string>

#include "chain/result.h"
#include "store/sqlite/lock_file.h"
#include "store/sqlite/sqlite_store.h"

namespace eventchain::store {

// A database of a few rows that one thread writes now and then, each time durably: with a rollback
// journal instead of a write-ahead log, which has nothing to gain here and must be checkpointed.
struct SmallDatabase {
  LockFile lock;  // outlives the connection
  std::unique_ptr<SQLite::Database> database;
};

// What kind of small database a file is.
struct SmallSchema {
  int application_id;
  const char* what;    // for people: "<file> is no database of <what>"
  const char* tables;  // of version 1, the only one so far; `meta` with name and value among them
  const char* key;     // in meta: whose it is
};

enum class Opening : std::uint8_t {
  kExisting,    // one that is not there is an error
  kNew,         // one that is there is an error
  kEitherKind,  // made if it is not there
};

// `owner` is what meta says of a new file under the schema's key. Errors name the file and what to
// do.
chain::Result<SmallDatabase> open_small_database(const std::string& path, const SmallSchema& schema,
                                                 Opening opening, const std::string& owner,
                                                 const StoreOptions& options);

// What meta says under the schema's key.
std::string owner_of(SQLite::Database& database, const SmallSchema& schema);

}  // namespace eventchain::store
