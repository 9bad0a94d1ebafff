#pragma once

#include <SQLiteCpp/Database.h>

#include "chain/genesis.h"
#include "chain/result.h"

// The tables and how a file becomes one of ours. README.md explains each table.
namespace eventchain::store {

inline constexpr int kApplicationId = 0x45434e31;  // "ECN1" in the file's header
inline constexpr int kSchemaVersion = 4;
// Of a new file. Version 1 indexed every key at intake and was never released.
inline constexpr int kFirstVersion = 2;

// Error unless the file is empty or one of ours with a version this program knows. Changes nothing.
chain::Result<void> check_foreign(SQLite::Database& database);

// Brings an empty or older database to kSchemaVersion, each step in a transaction of its own, so
// that a crash leaves a version that exists. Then checks that the chain is this one. Errors: a
// foreign file, a newer schema, another chain. Writer only.
chain::Result<void> prepare_schema(SQLite::Database& database, const chain::Genesis& genesis);

// The same checks without changing anything; an older version is an error too.
chain::Result<void> check_schema(SQLite::Database& database, const chain::Genesis& genesis);

}  // namespace eventchain::store
