#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>

#include <filesystem>
#include <set>

#include "made_up_chain.h"
#include "tools/eventchain/cold_reader.h"

using namespace made_up;
namespace fs = std::filesystem;

namespace {

std::set<std::string> files_in(const fs::path& directory) {
  std::set<std::string> names;
  for (const auto& file : fs::directory_iterator(directory))
    names.insert(file.path().filename().string());
  return names;
}

chain::Result<VerifyReport> verify(const std::string& database) {
  VerifyOptions options;
  options.database = database;
  options.genesis = made_up_genesis();
  return verify_chain(options);
}

std::string error_of(const std::string& database) {
  const auto report = verify(database);
  return report ? "verified" : report.error().message;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a copy that was made in the middle of another program's change is not taken for whole") {
  const Written written;
  const TemporaryDirectory elsewhere;
  const std::string copy = elsewhere.file("chain.db");
  {
    SQLite::Database other(written.database, SQLite::OPEN_READWRITE);
    SQLite::Statement(other, "PRAGMA journal_mode = DELETE").executeStep();
    other.exec("BEGIN; UPDATE event SET salt = zeroblob(16)");
    REQUIRE(sqlite3_db_cacheflush(other.getHandle()) == SQLITE_OK);
    fs::copy_file(written.database, copy);
    fs::copy_file(written.database + "-journal", copy + "-journal");
    other.exec("ROLLBACK");
  }
  CHECK(contains(error_of(copy), "rollback journal (-journal) of a change that was cut off"));
  CHECK(fs::exists(copy + "-journal"));
  // What the message says.
  {
    SQLite::Database undone(copy, SQLite::OPEN_READWRITE);
    SQLite::Statement(undone, "PRAGMA user_version").executeStep();
  }
  const auto report = verify(copy);
  REQUIRE_MESSAGE(report, report.error().message);
  CHECK(report->findings.total() == 0);
  CHECK(report->tip == written.state.tip);
}

TEST_CASE("a link to a database brings the log that lies beside the file") {
  const TemporaryDirectory directory;
  const TemporaryDirectory elsewhere;
  const chain::Genesis genesis = made_up_genesis();
  const auto store = open_empty(directory, genesis);
  SyntheticChain chain(genesis, *store);
  for (const NextBlock& next : Story().told()) chain.add(next);
  REQUIRE(fs::file_size(directory.file("chain.db-wal")) > 0);
  const std::string link = elsewhere.file("linked.db");
  fs::create_symlink(directory.file("chain.db"), link);
  const auto report = verify(link);
  REQUIRE_MESSAGE(report, report.error().message);
  INFO(texts(*report));
  CHECK(report->findings.total() == 0);
  CHECK(report->tip == chain.state().tip);
}

TEST_CASE("whoever reads a copy leaves nothing beside it") {
  const Written written;
  const auto before = files_in(written.directory.path());
  const auto reader = ColdReader::open(written.directory.path().string(), written.genesis, 1);
  REQUIRE_MESSAGE(reader, reader.error().message);
  CHECK((*reader)->tip().height.value == 12);
  CHECK(files_in(written.directory.path()) == before);
  CHECK(reader->check_still());
}

TEST_CASE("what was read of a copy is not believed if somebody wrote it meanwhile") {
  const Written written;
  const auto reader = ColdReader::open(written.directory.path().string(), written.genesis, 1);
  REQUIRE_MESSAGE(reader, reader.error().message);
  {
    SQLite::Database writer(written.database, SQLite::OPEN_READWRITE);
    writer.exec("CREATE TABLE more(one); DROP TABLE more");
  }
  REQUIRE_FALSE(reader->check_still());
  CHECK(contains(reader->check_still().error().message, "was written while it was read"));
  const auto read = reader->checked((*reader)->block(chain::Height{2}));
  REQUIRE_FALSE(read);
  CHECK(contains(read.error().message, "was written while it was read"));
}
