#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <fstream>
#include <iterator>

#include "made_up_chain.h"
#include "tests/unit/endless_tree.h"

using namespace made_up;

namespace {

// Rows of one page at most seven, so that what a range begins with is not on the page of its end.
constexpr std::uint64_t kBlocks = 130;

struct LongChain {
  TemporaryDirectory directory;
  std::string database = directory.file("chain.db");
  chain::Genesis genesis = made_up_genesis();

  LongChain() {
    {
      const auto to = open_empty(directory, genesis);
      SyntheticChain chain(genesis, *to);
      for (std::uint64_t number = 1; number < kBlocks; ++number)
        chain.add({.events = {hold_made_up({.number = number})}});
    }
    SQLite::Database file(database, SQLite::OPEN_READWRITE);
    SQLite::Statement(file, "PRAGMA wal_checkpoint(TRUNCATE)").executeStep();
  }

  [[nodiscard]] VerifyReport verify() const {
    VerifyOptions options;
    options.database = database;
    options.genesis = genesis;
    auto report = verify_chain(options);
    REQUIRE(report.has_value());
    return *report;
  }

  // The octets of the first blob of the row.
  [[nodiscard]] std::string blob(const std::string& sql) const {
    SQLite::Database file(database, SQLite::OPEN_READONLY);
    SQLite::Statement statement(file, sql);
    REQUIRE(statement.executeStep());
    const SQLite::Column column = statement.getColumn(0);
    return {static_cast<const char*>(column.getBlob()),
            static_cast<std::size_t>(column.getBytes())};
  }

  // Changes the key of the row that has `first_blob` behind it, in the file itself: SQLite would
  // move the row to its new place. A cell of a table begins with the payload's size, the key, the
  // size of the record's header and a zero for the key's column (sqlite.org/fileformat.html, 2.3).
  void change_key(char from, char to, const std::string& first_blob) const {
    std::ifstream in(database, std::ios::binary);
    std::string octets{std::istreambuf_iterator<char>(in), {}};
    in.close();
    std::size_t changed = 0;
    for (auto at = octets.find(first_blob); at != std::string::npos;
         at = octets.find(first_blob, at + 1))
      for (std::size_t back = 4; back < 20 && back < at; ++back) {
        const std::size_t key = at - back;
        const auto header = static_cast<std::size_t>(octets[key + 1]);
        if (octets[key] != from || octets[key + 2] != 0 || header + 1 != back) continue;
        octets[key] = to;
        ++changed;
      }
    REQUIRE(changed == 1);
    std::ofstream(database, std::ios::binary) << octets;
  }
};

}  // namespace

TEST_CASE("a block whose height goes back does not send the verification round for ever") {
  const LongChain chain;
  REQUIRE(chain.verify().findings.total() == 0);
  // The last of a batch of 64, as if it were the last of the one before.
  chain.change_key(127, 63, chain.blob("SELECT id FROM block WHERE height = 127"));
  const VerifyReport report = chain.verify();
  INFO(texts(report));
  CHECK(report.findings.total() > 0);
  CHECK(texts(report).find("the row of 63 stands where those from 127 on should") !=
        std::string::npos);
}

TEST_CASE("a node of the history whose number goes back is not compared with what is not there") {
  const LongChain chain;
  chain.change_key(100, 36, chain.blob("SELECT node FROM history_node WHERE place = 100"));
  const VerifyReport report = chain.verify();
  INFO(texts(report));
  CHECK(texts(report).find("the row of 36 stands where those from 100 on should") !=
        std::string::npos);
}

TEST_CASE("a tree whose pages name one another again ends the verification, whichever it is") {
  for (const char* name :
       {"event", "placement", "block", "block_position", "event_key", "recent_key", "stream_chunk",
        "tile", "sqlite_autoindex_tile_1", "history_node", "member_set", "signature", "peaks"}) {
    INFO(std::string(name));
    const Written written;
    REQUIRE(written.verify().findings.total() == 0);
    // Both indexes of keys have rows.
    SQLite::Database(written.database, SQLite::OPEN_READWRITE)
        .exec(
            "INSERT OR IGNORE INTO recent_key SELECT prefix, arrival FROM event_key LIMIT 1;"
            "INSERT OR IGNORE INTO event_key SELECT prefix, arrival FROM recent_key LIMIT 1");
    endless::File(written.database).make(name);
    const auto report = written.try_to_verify();
    // No row of `peaks` is asked for twice.
    if (report && std::string(name) != "peaks") CHECK(report->findings.total() > 0);
  }
}

TEST_CASE("a value larger than any that a node stores is damage, and is not read") {
  const Written written;
  SQLite::Database(written.database, SQLite::OPEN_READWRITE)
      .exec("UPDATE event SET body = zeroblob(17 * 1024 * 1024) WHERE arrival = 5");
  const VerifyReport report = written.verify();
  INFO(texts(report));
  CHECK(texts(report).find("too big") != std::string::npos);
  CHECK(report.octets < std::uint64_t{17} * 1024 * 1024);
}
