#include "store/sqlite/small_database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "store/sqlite/statement.h"

namespace eventchain::store {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

constexpr int kVersion = 1;

std::int64_t pragma(SQLite::Database& database, const char* sql) {
  Statement statement(database, sql);
  Statement::Rows rows = statement.query();
  return rows.next() ? rows.integer(0) : 0;
}

bool is_empty(SQLite::Database& database) {
  return pragma(database, "SELECT count(*) FROM sqlite_schema") == 0;
}

// One transaction: a crash leaves an empty file or a whole one.
void make_tables(SQLite::Database& database, const SmallSchema& schema, const std::string& owner) {
  database.exec("BEGIN IMMEDIATE");
  database.exec(schema.tables);
  Statement(database, "INSERT INTO meta VALUES (?, ?)").run(chain::Bytes(schema.key), owner);
  database.exec(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT",
                            schema.application_id, kVersion));
}

Result<void> prepare(SQLite::Database& database, const std::string& path, const SmallSchema& schema,
                     Opening opening, const std::string& owner) {
  if (is_empty(database)) {
    if (opening == Opening::kExisting)
      return fail(ErrorCode::kNotFound,
                  fmt::format("{} is empty: it is no database of {}", path, schema.what));
    make_tables(database, schema, owner);
    return {};
  }
  if (pragma(database, "PRAGMA application_id") != schema.application_id)
    return fail(ErrorCode::kInvalid,
                fmt::format("{} is no database of {}; name another file", path, schema.what));
  if (opening == Opening::kNew)
    return fail(ErrorCode::kConflict, fmt::format("{} is there already", path));
  if (pragma(database, "PRAGMA user_version") != kVersion)
    return fail(ErrorCode::kInvalid,
                fmt::format("{} was written by a newer program; install that", path));
  return {};
}

Result<SmallDatabase> open(const std::string& path, const SmallSchema& schema, Opening opening,
                           const std::string& owner, const StoreOptions& options) {
  SmallDatabase made;
  if (options.vfs.empty()) {
    auto lock = LockFile::take(path + ".lock");
    if (!lock) return tl::unexpected<chain::Error>(lock.error());
    made.lock = std::move(*lock);
  }
  const int create = opening == Opening::kExisting ? 0 : SQLite::OPEN_CREATE;
  made.database = std::make_unique<SQLite::Database>(
      path, SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX | create, 0, options.vfs);
  SQLite::Database& database = *made.database;
  sqlite3_db_config(database.getHandle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // EXTRA: the directory is synced, too, after the journal is deleted. One that came back after a
  // power cut would undo what was promised.
  database.exec(
      "PRAGMA trusted_schema = OFF; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;"
      "PRAGMA cell_size_check = ON; PRAGMA synchronous = EXTRA; PRAGMA journal_mode = DELETE");
  if (auto prepared = prepare(database, path, schema, opening, owner); !prepared)
    return tl::unexpected<chain::Error>(prepared.error());
  return made;
}

}  // namespace

Result<SmallDatabase> open_small_database(const std::string& path, const SmallSchema& schema,
                                          Opening opening, const std::string& owner,
                                          const StoreOptions& options) {
  try {
    return open(path, schema, opening, owner, options);
  } catch (const SQLite::Exception& cause) {
    if (cause.getErrorCode() == SQLITE_NOTADB)
      return fail(ErrorCode::kInvalid,
                  fmt::format("{} is no database of {}; name another file", path, schema.what));
    return fail(ErrorCode::kIo,
                fmt::format("cannot open {}: {} (SQLite code {}); check the path, its rights and "
                            "the disk",
                            path, cause.what(), cause.getExtendedErrorCode()));
  } catch (const StoreFailure& failure) {
    return fail(ErrorCode::kIo, fmt::format("cannot open {}: {}", path, failure.what()));
  }
}

std::string owner_of(SQLite::Database& database, const SmallSchema& schema) {
  Statement statement(database, "SELECT value FROM meta WHERE name = ?");
  const chain::Bytes key(schema.key);
  Statement::Rows rows = statement.query(key);
  return rows.next() ? std::string(rows.bytes(0)) : std::string();
}

}  // namespace eventchain::store
