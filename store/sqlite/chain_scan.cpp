#include "store/sqlite/chain_scan.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "store/sqlite/connection.h"
#include "store/sqlite/row_order.h"
#include "store/sqlite/statement.h"

namespace eventchain::store {

using chain::ErrorCode;
using chain::Result;

namespace {

// A scan reads each page once; a large cache would only cost the memory to fill it.
constexpr std::int64_t kCacheKib = 1024;
// Read in one transaction. Of the largest blocks these are 200 MB, of which one row is in memory.
constexpr std::uint64_t kBlocksAtOnce = 64;

template <class Value>
Result<Value> unreadable(const std::string& what, const StoreFailure& failure) {
  return chain::fail(ErrorCode::kCorrupt,
                     fmt::format("{} cannot be read: {}", what, failure.what()));
}

class SqliteScan final : public ChainScan {
 public:
  explicit SqliteScan(std::unique_ptr<SQLite::Database> database)
      : database_(std::move(database)),
        begin_(*database_, "BEGIN"),
        commit_(*database_, "COMMIT"),
        // Both tables are read in the order of their rowid: a merge, not a lookup per row.
        select_events_(*database_,
                       "SELECT e.arrival, p.arrival, p.position, p.height, p.version, p.reason,"
                       " e.mark, e.salt, e.body"
                       " FROM event e LEFT JOIN placement p ON p.arrival = e.arrival"
                       " WHERE e.arrival >= ? AND e.arrival < ? ORDER BY e.arrival"),
        select_arrival_(*database_, "SELECT min(arrival) FROM event WHERE arrival >= ?"),
        select_blocks_(*database_,
                       "SELECT height, first_position, id, content_hash, sealed, content FROM block"
                       " WHERE height >= ? AND height < ? ORDER BY height LIMIT ?"),
        select_tile_(*database_, "SELECT hashes FROM tile WHERE level = ? AND number = ?"),
        select_history_(*database_,
                        "SELECT place, node FROM history_node WHERE place >= ? AND place < ?"
                        " ORDER BY place"),
        select_members_(*database_, "SELECT height, hash, encoded FROM member_set ORDER BY height"),
        select_signatures_(*database_,
                           "SELECT s.height, s.slot, s.signature, b.sealed FROM signature s"
                           " LEFT JOIN block b ON b.height = s.height"
                           " WHERE s.height >= ? AND s.height < ? ORDER BY s.height, s.slot"),
        select_below_(*database_,
                      "SELECT height, slot FROM signature WHERE height < 0 ORDER BY height, slot"),
        // Without an upper bound: text and blobs come behind all numbers.
        select_beyond_(
            *database_,
            "SELECT height, slot FROM signature WHERE height >= ? ORDER BY height, slot"),
        select_recent_keys_(*database_,
                            "SELECT prefix, arrival FROM recent_key ORDER BY prefix, arrival"),
        select_keys_(*database_, "SELECT prefix, arrival FROM event_key ORDER BY prefix, arrival"),
        select_chunks_(*database_,
                       "SELECT stream, first_version, arrivals FROM stream_chunk"
                       " ORDER BY stream, first_version"),
        select_height_(*database_, "SELECT coalesce(max(height) + 1, 0) FROM block") {}

  Result<Extent> extent() override {
    return read<Extent>("the extent of the chain", [this] {
      const Moment moment(*this);
      Extent extent;
      extent.blocks = number(select_height_);
      extent.arrivals_end = number("SELECT coalesce(max(arrival) + 1, 0) FROM event");
      count_into(extent.block_rows, extent.faults, "the blocks by position",
                 "SELECT first_position, height FROM block INDEXED BY block_position"
                 " ORDER BY first_position, height");
      count_into(extent.settled, extent.faults, "the places of events",
                 "SELECT arrival, position FROM placement ORDER BY arrival",
                 [&](const Statement::Rows& rows) { extent.placed += rows.is_null(1) ? 0U : 1U; });
      count_into(extent.tiles, extent.faults, "the tiles",
                 "SELECT level, number FROM tile ORDER BY level, number");
      count_into(extent.history_nodes, extent.faults, "the nodes of the history",
                 "SELECT place, 0 FROM history_node ORDER BY place");
      Statement peaks(*database_, "SELECT log, history FROM peaks");
      Statement::Rows rows = peaks.query();
      if (rows.next()) {
        extent.log_peaks = chain::Bytes(rows.bytes(0));
        extent.history_peaks = chain::Bytes(rows.bytes(1));
      }
      return extent;
    });
  }

  Result<std::uint64_t> blocks_by_now() override {
    return read<std::uint64_t>("the tip", [this] { return number(select_height_); });
  }

  Result<void> events(std::uint64_t first, std::uint64_t end,
                      const std::function<void(const EventRow&)>& visit) override {
    Ascending order{first, end};
    try {
      Statement::Rows rows = select_events_.query(first, end);
      while (rows.next()) {
        const EventRow row = event_row(rows);
        order.take(row.arrival);
        visit(row);
      }
      return {};
    } catch (const StoreFailure& failure) {
      return unreadable<void>(fmt::format("events from arrival {} to {}", order.next, end),
                              failure);
    }
  }

  Result<std::optional<std::uint64_t>> next_arrival(std::uint64_t from) override {
    using Found = std::optional<std::uint64_t>;
    return read<Found>(fmt::format("events from arrival {} on", from), [&]() -> Found {
      Statement::Rows rows = select_arrival_.query(from);
      if (!rows.next() || rows.is_null(0)) return std::nullopt;
      const std::uint64_t found = rows.number(0);
      Ascending{from, UINT64_MAX}.take(found);
      return found;
    });
  }

  Result<void> blocks(std::uint64_t end,
                      const std::function<void(const BlockRow&)>& visit) override {
    Ascending order{0, end};
    try {
      for (bool is_over = false; !is_over;) {
        Statement::Rows rows = select_blocks_.query(order.next, end, kBlocksAtOnce);
        is_over = true;
        while (rows.next()) {
          is_over = false;
          BlockRow row;
          row.height = rows.number(0);
          row.first_position = rows.number(1);
          row.id = rows.bytes(2);
          row.content_hash = rows.bytes(3);
          row.sealed = rows.bytes(4);
          row.content = rows.bytes(5);
          order.take(row.height);
          visit(row);
        }
      }
      return {};
    } catch (const StoreFailure& failure) {
      return unreadable<void>(fmt::format("blocks from height {} on", order.next), failure);
    }
  }

  Result<chain::Bytes> tile(unsigned level, std::uint64_t tile_number) override {
    return read<chain::Bytes>(
        fmt::format("tile {} of level {}", tile_number, level), [&]() -> chain::Bytes {
          Statement::Rows rows = select_tile_.query(static_cast<int>(level), tile_number);
          return rows.next() ? chain::Bytes(rows.bytes(0)) : chain::Bytes();
        });
  }

  Result<void> history_nodes(
      std::uint64_t first, std::uint64_t end,
      const std::function<void(std::uint64_t, chain::ByteView)>& visit) override {
    return read<void>(fmt::format("nodes of the history from {} on", first), [&] {
      Statement::Rows rows = select_history_.query(first, end);
      for (Ascending order{first, end}; rows.next();) {
        order.take(rows.number(0));
        visit(rows.number(0), rows.bytes(1));
      }
    });
  }

  Result<void> member_sets(const std::function<void(const MemberRow&)>& visit) override {
    return read<void>("the member sets", [&] {
      Statement::Rows rows = select_members_.query();
      for (Ordered<std::int64_t> order; rows.next();) {
        order.take(rows.integer(0));
        visit({rows.number(0), rows.bytes(1), rows.bytes(2)});
      }
    });
  }

  Result<void> signatures(std::uint64_t first, std::uint64_t end,
                          const std::function<void(const SignatureRow&)>& visit) override {
    return read<void>(fmt::format("signatures from height {} on", first), [&] {
      Statement::Rows rows = select_signatures_.query(first, end);
      Ascending heights{first, end};
      for (Ordered<Pair> order; rows.next();) {
        order.take({rows.integer(0), rows.integer(1)});
        heights.take(rows.number(0));
        heights.next = rows.number(0);  // several of one block
        visit({rows.number(0), rows.integer(1), rows.bytes(2), rows.bytes(3)});
      }
    });
  }

  Result<Beyond> signatures_beyond(std::uint64_t end) override {
    return read<Beyond>("the signatures", [&]() -> Beyond {
      Beyond beyond;
      count_rows(select_below_.query(), beyond.below_zero);
      count_rows(select_beyond_.query(end), beyond.above);
      return beyond;
    });
  }

  Result<void> keys(const std::function<void(std::int64_t, std::uint64_t)>& visit) override {
    return read<void>("the index of keys", [&] {
      const Moment moment(*this);
      for (Statement* index : {&select_recent_keys_, &select_keys_}) {
        Statement::Rows rows = index->query();
        for (Ordered<Pair> order; rows.next();) {
          order.take({rows.integer(0), rows.integer(1)});
          visit(rows.integer(0), rows.number(1));
        }
      }
    });
  }

  Result<void> stream_chunks(const std::function<void(const ChunkRow&)>& visit) override {
    return read<void>("the index of streams", [&] {
      Statement::Rows rows = select_chunks_.query();
      for (Ordered<std::pair<chain::Bytes, std::int64_t>> order; rows.next();) {
        order.take({chain::Bytes(rows.bytes(0)), rows.integer(1)});
        visit({rows.bytes(0), rows.integer(1), rows.bytes(2)});
      }
    });
  }

 private:
  using Pair = std::pair<std::int64_t, std::int64_t>;

  // Several reads that see the same.
  class Moment {
   public:
    explicit Moment(SqliteScan& scan) : scan_(scan) { scan_.begin_.run(); }
    ~Moment() {
      try {
        scan_.commit_.run();
      } catch (const StoreFailure&) {
        // Nothing was written; a connection that cannot end its transaction fails in its next call.
      }
    }
    Moment(const Moment&) = delete;
    Moment& operator=(const Moment&) = delete;

   private:
    SqliteScan& scan_;
  };

  static EventRow event_row(const Statement::Rows& rows) {
    EventRow row;
    row.arrival = rows.number(0);
    if (!rows.is_null(1)) {
      const bool is_placed = !rows.is_null(2);
      row.place = is_placed ? EventRow::Place::kPlaced : EventRow::Place::kRejected;
      row.position = rows.number(2);
      row.height = rows.number(3);
      row.version = rows.integer(4);
      if (!rows.is_null(5)) row.reason = rows.integer(5);
    }
    row.mark = rows.bytes(6);
    row.salt = rows.bytes(7);
    row.body = rows.bytes(8);
    return row;
  }

  static std::uint64_t number(Statement& statement) {
    Statement::Rows rows = statement.query();
    return rows.next() ? rows.number(0) : 0;
  }
  std::uint64_t number(const char* sql) {
    Statement statement(*database_, sql);
    return number(statement);
  }

  // Rows whose first two numbers make a key. Not by count(*), which goes through a tree without a
  // look at its keys.
  static void count_rows(Statement::Rows rows, std::uint64_t& count,
                         const std::function<void(const Statement::Rows&)>& see = {}) {
    for (Ordered<Pair> order; rows.next(); ++count) {
      order.take({rows.integer(0), rows.integer(1)});
      if (see) see(rows);
    }
  }
  void count_into(std::uint64_t& count, std::vector<std::string>& faults, const char* what,
                  const char* sql, const std::function<void(const Statement::Rows&)>& see = {}) {
    try {
      Statement statement(*database_, sql);
      count_rows(statement.query(), count, see);
    } catch (const StoreFailure& failure) {
      faults.push_back(fmt::format("{} cannot be counted: {}", what, failure.what()));
    }
  }

  template <class Value, class Reading>
  static Result<Value> read(const std::string& what, Reading reading) {
    try {
      if constexpr (std::is_void_v<Value>) {
        reading();
        return {};
      } else {
        return reading();
      }
    } catch (const StoreFailure& failure) {
      return unreadable<Value>(what, failure);
    }
  }

  std::unique_ptr<SQLite::Database> database_;
  Statement begin_, commit_;
  Statement select_events_, select_arrival_, select_blocks_, select_tile_, select_history_;
  Statement select_members_, select_signatures_, select_below_, select_beyond_;
  Statement select_recent_keys_, select_keys_, select_chunks_, select_height_;
};

}  // namespace

Result<std::unique_ptr<ChainScan>> open_scan(const std::string& path,
                                             const chain::Genesis& genesis) {
  StoreOptions options;
  options.cache_kib = kCacheKib;
  options.reading = Reading::kAnyCopy;
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
