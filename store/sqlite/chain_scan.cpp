#include "store/sqlite/chain_scan.h"

#include <fmt/format.h>

#include "store/sqlite/connection.h"
#include "store/sqlite/statement.h"

namespace eventchain::store {

using chain::ErrorCode;
using chain::Result;

namespace {

// A scan reads each page once; a large cache would only cost the memory to fill it.
constexpr std::int64_t kCacheKib = 1024;

class SqliteScan final : public ChainScan {
 public:
  explicit SqliteScan(std::unique_ptr<SQLite::Database> database)
      : database_(std::move(database)),
        // Both tables are read in the order of their rowid: a merge, not a lookup per row.
        select_events_(*database_,
                       "SELECT p.arrival, p.position, p.height, p.version, e.salt, e.body"
                       " FROM placement p JOIN event e ON e.arrival = p.arrival"
                       " WHERE p.arrival >= ? AND p.arrival < ? ORDER BY p.arrival"),
        select_blocks_(*database_,
                       "SELECT height, first_position, id, sealed, content FROM block"
                       " ORDER BY height") {}

  Result<Extent> extent() override {
    try {
      Extent extent;
      extent.blocks = number("SELECT coalesce(max(height) + 1, 0) FROM block");
      extent.arrivals_end = number("SELECT coalesce(max(arrival) + 1, 0) FROM placement");
      extent.placed = number("SELECT count(position) FROM placement");
      return extent;
    } catch (const StoreFailure& failure) {
      return unreadable("the extent of the chain", failure);
    }
  }

  Result<void> events(std::uint64_t first, std::uint64_t end,
                      const std::function<void(const EventRow&)>& visit) override {
    std::uint64_t next = first;
    try {
      Statement::Rows rows = select_events_.query(first, end);
      while (rows.next()) {
        EventRow row;
        row.arrival = rows.number(0);
        row.has_position = !rows.is_null(1);
        row.position = rows.number(1);
        row.height = rows.number(2);
        row.version = rows.integer(3);
        row.salt = rows.bytes(4);
        row.body = rows.bytes(5);
        next = row.arrival + 1;
        visit(row);
      }
      return {};
    } catch (const StoreFailure& failure) {
      return unreadable(fmt::format("events from arrival {} to {}", next, end), failure);
    }
  }

  Result<void> blocks(const std::function<void(const BlockRow&)>& visit) override {
    std::uint64_t next = 0;
    try {
      Statement::Rows rows = select_blocks_.query();
      while (rows.next()) {
        BlockRow row;
        row.height = rows.number(0);
        row.first_position = rows.number(1);
        row.id = rows.bytes(2);
        row.sealed = rows.bytes(3);
        row.content = rows.bytes(4);
        next = row.height + 1;
        visit(row);
      }
      return {};
    } catch (const StoreFailure& failure) {
      return unreadable(fmt::format("blocks from height {} on", next), failure);
    }
  }

 private:
  std::uint64_t number(const char* sql) {
    Statement statement(*database_, sql);
    Statement::Rows rows = statement.query();
    return rows.next() ? rows.number(0) : 0;
  }

  static tl::unexpected<chain::Error> unreadable(const std::string& what,
                                                 const StoreFailure& failure) {
    return chain::fail(ErrorCode::kCorrupt,
                       fmt::format("{} cannot be read: {}", what, failure.what()));
  }

  std::unique_ptr<SQLite::Database> database_;
  Statement select_events_;
  Statement select_blocks_;
};

}  // namespace

Result<std::unique_ptr<ChainScan>> open_scan(const std::string& path,
                                             const chain::Genesis& genesis) {
  StoreOptions options;
  options.cache_kib = kCacheKib;
  auto database = open_read_only(path, genesis, options);
  if (!database) return tl::unexpected<chain::Error>(database.error());
  try {
    return std::make_unique<SqliteScan>(std::move(*database));
  } catch (const StoreFailure& failure) {
    return chain::fail(ErrorCode::kCorrupt,
                       fmt::format("{} cannot be read: {}", path, failure.what()));
  }
}

}  // namespace eventchain::store
