#include "store/sqlite/turn.h"

#include <sqlite3.h>

namespace eventchain::store {

namespace {

std::int64_t page_size(SQLite::Database& database) {
  Statement statement(database, "PRAGMA page_size");
  Statement::Rows rows = statement.query();
  rows.next();
  return rows.integer(0);
}

}  // namespace

SqliteTurn::SqliteTurn(std::unique_ptr<SQLite::Database> database, std::int64_t wal_bytes_max)
    : database_(std::move(database)),
      begin_(*database_, "BEGIN"),
      commit_(*database_, "COMMIT"),
      page_bytes_(page_size(*database_)),
      wal_bytes_max_(wal_bytes_max) {
  wal_pages_wanted_ = wal_bytes_max_ / page_bytes_;
  sqlite3_wal_hook(database_->getHandle(), &SqliteTurn::note_wal_pages, this);
}

SqliteTurn::~SqliteTurn() {
  sqlite3_wal_hook(database_->getHandle(), nullptr, nullptr);
}

void SqliteTurn::begin() {
  EC_ASSERT(!is_open_, "turns do not nest");
  is_open_ = true;
  // Not at the commit: what the last turn promised has left by now.
  if (wal_pages_ > wal_pages_wanted_) checkpoint();
}

void SqliteTurn::commit() {
  EC_ASSERT(is_open_, "a commit without begin()");
  if (is_begun_) commit_.run();
  is_begun_ = false;
  is_open_ = false;
}

void SqliteTurn::before_read() {
  if (!is_open_ || is_begun_) return;
  // Deferred: it becomes a write transaction with the first write. Nobody else writes, so that
  // step cannot be refused.
  begin_.run();
  is_begun_ = true;
}

void SqliteTurn::before_write() {
  EC_ASSERT(is_open_, "a change outside a turn would be a transaction of its own");
  before_read();
}

int SqliteTurn::note_wal_pages(void* turn, sqlite3*, const char*, int pages) {
  static_cast<SqliteTurn*>(turn)->wal_pages_ = pages;
  return SQLITE_OK;
}

void SqliteTurn::checkpoint() {
  int in_log = 0;
  int copied = 0;
  const int code = sqlite3_wal_checkpoint_v2(database_->getHandle(), nullptr,
                                             SQLITE_CHECKPOINT_PASSIVE, &in_log, &copied);
  if (code != SQLITE_OK && code != SQLITE_BUSY)
    throw_failure("checkpoint", SQLite::Exception(database_->getHandle(), code));
  ++checkpoints_;
  // A reader that holds an old state keeps the WAL from being used from its start again; asking
  // after every turn would copy the same pages again and again, so wait for the same growth.
  const std::int64_t growth = wal_bytes_max_ / page_bytes_;
  wal_pages_wanted_ = copied == in_log ? growth : in_log + growth;
  wal_pages_ = 0;
}

}  // namespace eventchain::store
