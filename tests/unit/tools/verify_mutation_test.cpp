#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "made_up_chain.h"

using namespace made_up;

namespace {

// What a finding must be about when a table was changed. A change may show in more places.
const std::map<std::string, std::set<std::string>> kNamed = {
    {"event", {"event", "block", "database"}},
    {"placement", {"event", "block", "database"}},
    {"recent_key", {"index"}},
    {"event_key", {"index"}},
    {"stream_chunk", {"index"}},
    {"block", {"block"}},
    {"tile", {"log-tree"}},
    {"history_node", {"history"}},
    {"peaks", {"database"}},
    {"signature", {"signature", "database"}},
    {"member_set", {"member-set"}},
};

// What nothing in the chain stands for, and who notices instead.
const std::map<std::string, std::string> kNotCovered = {
    {"progress", "the node's place in Raft's log; a start compares it with the log"},
    {"template", "proposals: a block that is committed replaces them, and it is checked"},
    {"stale", "blocks that lost their height: nothing follows from them"},
    {"peer_seen", "what a node remembers of its peers' disks"},
    {"raft_state", "Raft's own; a node's start reads it"},
    {"raft_entry", "Raft's own; what it decides is a block, which is checked"},
    {"raft_snapshot", "Raft's own"},
    {"meta", "another chain's id is refused when the file is opened; the disk's id is the node's"},
};

using Value = std::variant<std::nullptr_t, std::int64_t, std::string>;

void bind(SQLite::Statement& to, int index, const Value& value) {
  if (std::holds_alternative<std::nullptr_t>(value))
    to.bind(index);
  else if (const auto* number = std::get_if<std::int64_t>(&value))
    to.bind(index, *number);
  else
    to.bind(index, std::get<std::string>(value).data(),
            static_cast<int>(std::get<std::string>(value).size()));
}

struct Row {
  std::string table;
  std::vector<std::string> columns;
  std::vector<Value> values;
};

class Editor {
 public:
  explicit Editor(const std::string& file) : database_(file, SQLite::OPEN_READWRITE) {
    database_.exec("PRAGMA synchronous = OFF");
  }

  std::vector<std::string> tables() {
    std::vector<std::string> names;
    SQLite::Statement select(database_, "SELECT name FROM sqlite_master WHERE type = 'table'");
    while (select.executeStep()) names.push_back(select.getColumn(0).getString());
    return names;
  }

  std::vector<Row> rows(const std::string& table) {
    std::vector<Row> rows;
    SQLite::Statement select(database_, "SELECT * FROM " + table);
    while (select.executeStep()) {
      Row row{table, {}, {}};
      for (int i = 0; i < select.getColumnCount(); ++i) {
        const SQLite::Column column = select.getColumn(i);
        row.columns.emplace_back(select.getColumnName(i));
        if (column.isNull())
          row.values.emplace_back(nullptr);
        else if (column.isInteger())
          row.values.emplace_back(column.getInt64());
        else
          row.values.emplace_back(column.getString());
      }
      rows.push_back(std::move(row));
    }
    return rows;
  }

  // False: the table does not take it.
  bool change(const Row& row, std::size_t column, const Value& value) {
    std::string sql = "UPDATE " + row.table + " SET " + row.columns[column] + " = ?1 WHERE 1";
    for (std::size_t i = 0; i < row.columns.size(); ++i)
      sql += " AND " + row.columns[i] + " IS ?" + std::to_string(i + 2);
    SQLite::Statement update(database_, sql);
    bind(update, 1, value);
    for (std::size_t i = 0; i < row.values.size(); ++i)
      bind(update, static_cast<int>(i) + 2, row.values[i]);
    int rows = 0;
    try {
      rows = update.exec();
    } catch (const SQLite::Exception&) {
      return false;
    }
    REQUIRE(rows == 1);
    return true;
  }

 private:
  SQLite::Database database_;
};

// One bit of each octet of octets; some bits of a number, and nothing instead of it.
std::vector<Value> changes_of(const Value& value) {
  std::vector<Value> changed;
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    for (const int bit : {0, 1, 7, 31, 62, 63})
      changed.emplace_back(
          static_cast<std::int64_t>(static_cast<std::uint64_t>(*number) ^ std::uint64_t{1} << bit));
    changed.emplace_back(nullptr);
  } else if (const auto* octets = std::get_if<std::string>(&value)) {
    for (std::size_t at = 0; at < octets->size(); ++at) {
      std::string bad = *octets;
      bad[at] = static_cast<char>(bad[at] ^ (1 << (at * 5 + 3) % 8));
      changed.emplace_back(std::move(bad));
    }
    changed.emplace_back(octets->substr(0, octets->size() - 1));
    changed.emplace_back(*octets + '\0');
  } else {
    changed.emplace_back(std::int64_t{1});
  }
  return changed;
}

struct Change {
  const Row* row;
  std::size_t column;
  Value value;
};

}  // namespace

// Every octet of every table takes minutes: without EVENTCHAIN_ALL_OCTETS=1 every octet of the
// small tables, and every n-th of the others.
TEST_CASE("whatever octet of a stored chain changes, verification finds it and names the thing") {
  const char* wanted = std::getenv("EVENTCHAIN_ALL_OCTETS");
  const std::size_t each_table_max = wanted != nullptr && *wanted == '1' ? ~std::size_t{0} : 300;
  Written written;
  {
    const VerifyReport report = written.verify();
    INFO(texts(report));
    REQUIRE(report.findings.total() == 0);
    CHECK(report.signatures == 25);
    CHECK(report.certified.value == 12);
    CHECK(report.rejected == 3);
  }
  Editor editor(written.database);
  std::size_t changed = 0;
  std::size_t refused = 0;
  std::string told;
  for (const std::string& table : editor.tables()) {
    if (kNotCovered.contains(table)) continue;
    INFO(table << " is neither covered nor listed as not covered");
    REQUIRE(kNamed.contains(table));
    const std::vector<Row> rows = editor.rows(table);
    REQUIRE_FALSE(rows.empty());
    std::vector<Change> changes;
    for (const Row& row : rows)
      for (std::size_t column = 0; column < row.columns.size(); ++column)
        for (Value& value : changes_of(row.values[column]))
          changes.push_back({&row, column, std::move(value)});
    const std::size_t stride = (changes.size() + each_table_max - 1) / each_table_max;
    std::size_t of_table = 0;
    for (std::size_t i = 0; i < changes.size(); i += std::max<std::size_t>(stride, 1)) {
      const Change& change = changes[i];
      if (!editor.change(*change.row, change.column, change.value)) {
        ++refused;
        continue;
      }
      const auto report = written.try_to_verify();
      INFO(table << " " << change.row->columns[change.column] << " change " << i << " of "
                 << changes.size());
      REQUIRE_MESSAGE(report.has_value(), report.error().message);
      INFO(texts(*report));
      REQUIRE(report->findings.total() > 0);
      CHECK(std::ranges::any_of(report->findings.kept(), [&](const Finding& finding) {
        return kNamed.at(table).contains(finding.thing);
      }));
      ++of_table;
      Row now = *change.row;
      now.values[change.column] = change.value;
      REQUIRE(editor.change(now, change.column, change.row->values[change.column]));
    }
    changed += of_table;
    told += " " + table + " " + std::to_string(of_table) + " of " + std::to_string(changes.size());
  }
  MESSAGE(changed << " changes, each found and named; " << refused
                  << " that the tables do not take;" << told);
  for (const auto& [table, reason] : kNotCovered)
    MESSAGE("not covered: " << table << ": " << reason);
  const VerifyReport report = written.verify();
  INFO(texts(report));
  CHECK(report.findings.total() == 0);
}

TEST_CASE("an event that waits for its block and rots is named by its arrival") {
  const TemporaryDirectory directory;
  const chain::Genesis genesis = made_up_genesis();
  {
    const auto store = open_empty(directory, genesis);
    store->turns().begin();
    store->chain().put_event(hold_made_up({.number = 1}));
    store->turns().commit();
  }
  VerifyOptions options;
  options.database = directory.file("chain.db");
  options.genesis = genesis;
  REQUIRE(verify_chain(options).value().findings.total() == 0);
  SQLite::Database file(options.database, SQLite::OPEN_READWRITE);
  REQUIRE(file.exec("UPDATE event SET salt = zeroblob(32)") == 1);
  const VerifyReport report = verify_chain(options).value();
  REQUIRE(report.findings.total() == 1);
  CHECK(texts(report).find("arrival 1, which waits for its block") != std::string::npos);
}
