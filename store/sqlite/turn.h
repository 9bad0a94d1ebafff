#pragma once

#include <SQLiteCpp/Database.h>

#include <cstdint>
#include <memory>

#include "store/chain_store.h"
#include "store/sqlite/statement.h"

namespace eventchain::store {

// The writer's connection and its one transaction at a time. The transaction is begun by the first
// statement of a turn, so a turn that touches nothing costs nothing. Between turns the writer, and
// nobody else, copies a grown WAL into the database.
//
// Owned by SqliteStore; one thread. After a StoreFailure the only thing left is to end the process:
// the open transaction is then rolled back by the next start.
class SqliteTurn : public Turns {
 public:
  SqliteTurn(std::unique_ptr<SQLite::Database> database, std::int64_t wal_bytes_max);
  ~SqliteTurn() override;
  SqliteTurn(const SqliteTurn&) = delete;
  SqliteTurn& operator=(const SqliteTurn&) = delete;

  void begin() override;
  void commit() override;

  // Called before each statement. Reads are allowed between turns, writes are not.
  void before_read();
  void before_write();

  SQLite::Database& database() { return *database_; }
  [[nodiscard]] std::uint64_t checkpoints() const { return checkpoints_; }

 private:
  static int note_wal_pages(void* turn, struct sqlite3*, const char*, int pages);
  void checkpoint();

  std::unique_ptr<SQLite::Database> database_;
  Statement begin_;
  Statement commit_;
  std::int64_t page_bytes_;
  const std::int64_t wal_bytes_max_;
  std::int64_t wal_pages_ = 0;         // after the last commit
  std::int64_t wal_pages_wanted_ = 0;  // the next checkpoint comes above this
  std::uint64_t checkpoints_ = 0;
  bool is_open_ = false;   // between begin() and commit()
  bool is_begun_ = false;  // SQLite knows of it
};

}  // namespace eventchain::store
