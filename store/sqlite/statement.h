#pragma once

#include <SQLiteCpp/Database.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "chain/bytes.h"
#include "store/chain_store.h"

struct sqlite3_stmt;

namespace eventchain::store {

// "<what>: <SQLite's message> (<code>)" as a StoreFailure.
[[noreturn]] void throw_failure(const char* what, const SQLite::Exception& cause);

// A statement prepared once and run many times. SQLite's errors leave as StoreFailure. One thread;
// must not outlive its connection; not re-entered while Rows of it are alive. Not
// SQLite::Statement, which counts a reference with locked instructions for each value that is read.
class Statement {
 public:
  Statement(const SQLite::Database& database, const char* sql);

  // The result of one run. Resets the statement when it goes, because one that is left standing
  // keeps its read transaction open and with that the WAL from being reset.
  class Rows {
   public:
    explicit Rows(sqlite3_stmt* statement) : statement_(statement) {}
    ~Rows();
    Rows(const Rows&) = delete;
    Rows& operator=(const Rows&) = delete;

    bool next();  // false after the last row; not called again then
    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] std::uint64_t number(int column) const {
      return static_cast<std::uint64_t>(integer(column));
    }
    [[nodiscard]] bool is_null(int column) const;
    // Valid until next() or the end of the rows.
    [[nodiscard]] chain::ByteView bytes(int column) const;
    // Throws StoreFailure unless the column has exactly that size.
    template <class Kind>
    [[nodiscard]] Kind fixed(int column) const {
      const auto value = Kind::from(bytes(column));
      if (!value) refuse_size(column);
      return *value;
    }

   private:
    [[noreturn]] void refuse_size(int column) const;

    sqlite3_stmt* statement_;
    bool is_over_ = false;
  };

  // Octets are bound without a copy: they must live as long as the rows.
  template <class... Values>
  Rows query(const Values&... values) {
    int index = 0;
    (bind(++index, values), ...);
    return Rows(statement_.get());
  }
  template <class... Values>
  void run(const Values&... values) {
    Rows rows = query(values...);
    while (rows.next()) {
    }
  }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  // Throws what SQLite says of `code`.
  [[noreturn]] static void refuse(sqlite3_stmt* statement, int code);

  void bind(int index, std::int64_t value);
  void bind(int index, std::uint64_t value) { bind(index, static_cast<std::int64_t>(value)); }
  void bind(int index, int value) { bind(index, std::int64_t{value}); }
  void bind(int index, std::nullopt_t);
  void bind(int index, chain::ByteView value);
  void bind(int index, const chain::Bytes& value) { bind(index, chain::ByteView(value)); }
  template <class Tag, std::size_t N>
  void bind(int index, const chain::FixedBytes<Tag, N>& value) {
    bind(index, value.view());
  }
  template <class Tag, class Rep>
  void bind(int index, chain::Strong<Tag, Rep> value) {
    bind(index, value.value);
  }

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

}  // namespace eventchain::store
