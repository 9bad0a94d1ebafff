#include "store/sqlite/statement.h"

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Exception.h>
#include <fmt/format.h>

namespace eventchain::store {

void throw_failure(const char* what, const SQLite::Exception& cause) {
  throw StoreFailure(fmt::format(
      "{}: {} (SQLite code {}); check the disk and its free space, then start the node again", what,
      cause.what(), cause.getExtendedErrorCode()));
}

namespace {

SQLite::Statement prepare(const SQLite::Database& database, const char* sql) {
  try {
    return SQLite::Statement(database, sql);
  } catch (const SQLite::Exception& cause) {
    throw_failure(sql, cause);
  }
}

}  // namespace

Statement::Statement(const SQLite::Database& database, const char* sql)
    : statement_(prepare(database, sql)) {}

bool Statement::Rows::next() {
  try {
    return statement_.executeStep();
  } catch (const SQLite::Exception& cause) {
    throw_failure(statement_.getQuery().c_str(), cause);
  }
}

std::int64_t Statement::Rows::integer(int column) const {
  return statement_.getColumn(column).getInt64();
}

bool Statement::Rows::is_null(int column) const {
  return statement_.isColumnNull(column);
}

chain::ByteView Statement::Rows::bytes(int column) const {
  const SQLite::Column value = statement_.getColumn(column);
  const void* octets = value.getBlob();
  return {static_cast<const char*>(octets), static_cast<std::size_t>(value.getBytes())};
}

void Statement::Rows::refuse_size(int column) const {
  throw StoreFailure(fmt::format(
      "the database is damaged: column {} of \"{}\" has {} octets; remove this node's database and "
      "let it fetch the chain from the others",
      column, statement_.getQuery(), bytes(column).size()));
}

void Statement::bind(int index, std::int64_t value) {
  try {
    statement_.bind(index, value);
  } catch (const SQLite::Exception& cause) {
    throw_failure(statement_.getQuery().c_str(), cause);
  }
}

void Statement::bind(int index, std::nullopt_t) {
  try {
    statement_.bind(index);
  } catch (const SQLite::Exception& cause) {
    throw_failure(statement_.getQuery().c_str(), cause);
  }
}

void Statement::bind(int index, chain::ByteView value) {
  try {
    // A null pointer would bind NULL instead of no octets.
    const char* octets = value.empty() ? "" : value.data();
    statement_.bindNoCopy(index, static_cast<const void*>(octets), static_cast<int>(value.size()));
  } catch (const SQLite::Exception& cause) {
    throw_failure(statement_.getQuery().c_str(), cause);
  }
}

}  // namespace eventchain::store
