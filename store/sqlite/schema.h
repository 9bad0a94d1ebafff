#pragma once

#include <SQLiteCpp/Database.h>

#include <optional>
#include <string>

#include "chain/genesis.h"
#include "chain/result.h"
#include "store/sqlite/sqlite_store.h"

// The tables and how a file becomes one of ours. README.md explains each table.
namespace eventchain::store {

// What kind of database a file is.
struct Schema {
  int application_id;        // in the file's header
  const char* what;          // for people: "<file> is no database of <what>"
  int first_version;         // of a new file
  int version;               // that this program writes
  const char* const* steps;  // the first one makes `first_version`, each further one the next
  // Rows that belong to the version just made; `is_new`: there was nothing before.
  void (*fill)(SQLite::Database&, const chain::Genesis&, const StoreId&, std::int64_t version,
               bool is_new);
};

inline constexpr int kApplicationId = 0x45434e31;  // "ECN1"
inline constexpr int kSchemaVersion = 4;
// Of a new file. Version 1 indexed every key at intake and was never released.
inline constexpr int kFirstVersion = 2;

extern const Schema kFullSchema;

// The disk that the file must be, and whether there may be nothing on it yet.
struct Disk {
  StoreId id;
  bool may_be_new = false;
};

// Error unless the file is one of ours with a version this program knows and this disk's, or empty
// where it may be. Changes nothing.
chain::Result<void> check_foreign(SQLite::Database& database, const Disk& disk,
                                  const Schema& schema = kFullSchema);

// nullopt in an empty file.
std::optional<StoreId> store_id_of(SQLite::Database& database);

// What the member is told whose disk is empty, and the one who has another's.
tl::unexpected<chain::Error> lost_disk(const std::string& path);
tl::unexpected<chain::Error> another_disk(const std::string& what, const StoreId& wanted);

// Brings an empty or older database to the schema's version, each step in a transaction of its own,
// so that a crash leaves a version that exists. Then checks that the chain is this one. Errors: a
// foreign file, a newer schema, another chain. Writer only.
chain::Result<void> prepare_schema(SQLite::Database& database, const chain::Genesis& genesis,
                                   const StoreId& id, const Schema& schema = kFullSchema);

// The same checks without changing anything; an older version is an error too, and so is anything
// in the schema that is not as in a new file.
chain::Result<void> check_schema(SQLite::Database& database, const chain::Genesis& genesis,
                                 const Schema& schema = kFullSchema);

}  // namespace eventchain::store
