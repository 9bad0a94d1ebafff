#include "store/sqlite/light_scan.h"

#include <fmt/format.h>

#include "store/sqlite/block_rows.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/light_schema.h"
#include "store/sqlite/row_order.h"
#include "store/sqlite/statement.h"

namespace eventchain::store {

using chain::Result;

namespace {

tl::unexpected<chain::Error> unreadable(const std::string& what, const std::string& why) {
  return chain::fail(chain::ErrorCode::kCorrupt, fmt::format("{} cannot be read: {}", what, why));
}

class SqliteLightScan final : public LightScan {
 public:
  explicit SqliteLightScan(std::unique_ptr<SQLite::Database> database)
      : database_(std::move(database)),
        select_height_(*database_, "SELECT coalesce(max(height) + 1, 0) FROM block"),
        select_blocks_(*database_, "SELECT height, id, sealed, annex FROM block ORDER BY height"),
        select_members_(*database_, "SELECT height, hash, encoded FROM member_set ORDER BY height"),
        select_history_(*database_, "SELECT history FROM below_tip"),
        select_signatures_(*database_, "SELECT slot, signature FROM signature ORDER BY slot") {
    // Ends with the connection. The certificate is the tip's alone, so a run that came between two
    // reads would take its block away from it.
    Statement(*database_, "BEGIN").run();
  }

  Result<std::uint64_t> blocks_end() override {
    return read<std::uint64_t>("the tip", [this] {
      Statement::Rows rows = select_height_.query();
      return rows.next() ? rows.number(0) : 0;
    });
  }

  Result<void> blocks(const std::function<void(const BlockRow&)>& visit) override {
    std::uint64_t next = 0;
    try {
      Statement::Rows rows = select_blocks_.query();
      for (Ordered<std::int64_t> order; rows.next();) {
        order.take(rows.integer(0));
        next = rows.number(0) + 1;
        visit({rows.number(0), rows.bytes(1), rows.bytes(2), rows.bytes(3)});
      }
      return {};
    } catch (const StoreFailure& failure) {
      return unreadable(fmt::format("headers from height {} on", next), failure.what());
    }
  }

  Result<void> member_sets(const std::function<void(const MemberRow&)>& visit) override {
    try {
      Statement::Rows rows = select_members_.query();
      for (Ordered<std::int64_t> order; rows.next();) {
        order.take(rows.integer(0));
        visit({rows.number(0), rows.bytes(1), rows.bytes(2)});
      }
      return {};
    } catch (const StoreFailure& failure) {
      return unreadable("the member sets", failure.what());
    }
  }

  Result<chain::Bytes> history_below_tip() override {
    return read<chain::Bytes>("the history below the tip", [this] {
      Statement::Rows rows = select_history_.query();
      return rows.next() ? chain::Bytes(rows.bytes(0)) : chain::Bytes();
    });
  }

  Result<chain::Certificate> signatures() override {
    return read<chain::Certificate>("the signatures on the tip",
                                    [this] { return read_signatures(select_signatures_.query()); });
  }

 private:
  template <class Value, class Reading>
  static Result<Value> read(const std::string& what, Reading reading) {
    try {
      return reading();
    } catch (const StoreFailure& failure) {
      return unreadable(what, failure.what());
    }
  }

  std::unique_ptr<SQLite::Database> database_;
  Statement select_height_, select_blocks_, select_members_, select_history_, select_signatures_;
};

}  // namespace

bool is_light_database(const std::string& path) {
  try {
    const auto database = open_any_copy(path);
    SQLite::Statement id(*database, "PRAGMA application_id");
    return id.executeStep() && id.getColumn(0).getInt() == kLightApplicationId;
  } catch (const SQLite::Exception&) {
    return false;  // whoever opens it next says why it cannot be read
  }
}

Result<std::unique_ptr<LightScan>> open_light_scan(const std::string& path,
                                                   const chain::Genesis& genesis) {
  StoreOptions options;
  options.reading = Reading::kAnyCopy;
  auto database = open_read_only(path, genesis, options, kLightSchema);
  if (!database) return tl::unexpected<chain::Error>(database.error());
  try {
    return std::make_unique<SqliteLightScan>(std::move(*database));
  } catch (const StoreFailure& failure) {
    return unreadable(path, failure.what());
  }
}

}  // namespace eventchain::store
