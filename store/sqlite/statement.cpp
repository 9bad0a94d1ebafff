#include "store/sqlite/statement.h"

#include <SQLiteCpp/Exception.h>
#include <fmt/format.h>
#include <sqlite3.h>

namespace eventchain::store {

void throw_failure(const char* what, const SQLite::Exception& cause) {
  throw StoreFailure(fmt::format(
      "{}: {} (SQLite code {}); check the disk and its free space, then start the node again", what,
      cause.what(), cause.getExtendedErrorCode()));
}

Statement::Statement(const SQLite::Database& database, const char* sql) {
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v2(database.getHandle(), sql, -1, &prepared, nullptr);
  statement_.reset(prepared);
  if (code != SQLITE_OK) throw_failure(sql, SQLite::Exception(database.getHandle(), code));
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Statement::Rows::~Rows() {
  sqlite3_reset(statement_);
}

bool Statement::Rows::next() {
  EC_ASSERT(!is_over_, "SQLite would run the statement again");
  const int code = sqlite3_step(statement_);
  is_over_ = code != SQLITE_ROW;
  if (is_over_ && code != SQLITE_DONE) refuse(statement_, code);
  return !is_over_;
}

std::int64_t Statement::Rows::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

bool Statement::Rows::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

chain::ByteView Statement::Rows::bytes(int column) const {
  const void* octets = sqlite3_column_blob(statement_, column);
  return {static_cast<const char*>(octets),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

void Statement::Rows::refuse_size(int column) const {
  throw StoreFailure(fmt::format(
      "the database is damaged: column {} of \"{}\" has {} octets; remove this node's database and "
      "let it fetch the chain from the others",
      column, sqlite3_sql(statement_), bytes(column).size()));
}

void Statement::refuse(sqlite3_stmt* statement, int code) {
  throw_failure(sqlite3_sql(statement), SQLite::Exception(sqlite3_db_handle(statement), code));
}

void Statement::bind(int index, std::int64_t value) {
  const int code = sqlite3_bind_int64(statement_.get(), index, value);
  if (code != SQLITE_OK) refuse(statement_.get(), code);
}

void Statement::bind(int index, std::nullopt_t) {
  const int code = sqlite3_bind_null(statement_.get(), index);
  if (code != SQLITE_OK) refuse(statement_.get(), code);
}

void Statement::bind(int index, chain::ByteView value) {
  // A null pointer would bind NULL instead of no octets.
  const char* octets = value.empty() ? "" : value.data();
  const int code = sqlite3_bind_blob(statement_.get(), index, octets,
                                     static_cast<int>(value.size()), SQLITE_STATIC);
  if (code != SQLITE_OK) refuse(statement_.get(), code);
}

}  // namespace eventchain::store
