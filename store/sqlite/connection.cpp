#include "store/sqlite/connection.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <filesystem>

#include "store/sqlite/file_state.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/statement.h"

namespace eventchain::store {

using chain::ErrorCode;
using chain::Result;
using Opened = Result<std::unique_ptr<SQLite::Database>>;

namespace {

constexpr int kBusyTimeoutMs = 10'000;  // readers wait while the WAL is being recovered
// No value is larger than what fits into one frame between nodes (4 MiB). In a damaged file
// overflow pages may overlap, and each row could claim the whole of it.
constexpr int kValueBytesMax = 16 * 1024 * 1024;

// Counting the memory in use costs a lock around every allocation, and nobody asks for it. Refused,
// without harm, where somebody else has started SQLite before.
void count_no_memory() {
  [[maybe_unused]] static const int code = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

std::unique_ptr<SQLite::Database> open(const std::string& path, int flags,
                                       const StoreOptions& options) {
  count_no_memory();
  // No mutex in SQLite: each connection is used by one thread at a time.
  auto database = std::make_unique<SQLite::Database>(path, flags | SQLite::OPEN_NOMUTEX,
                                                     kBusyTimeoutMs, options.vfs);
  // The file is not trusted to bring code along (triggers, views with functions).
  sqlite3_db_config(database->getHandle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_limit(database->getHandle(), SQLITE_LIMIT_LENGTH, kValueBytesMax);
  database->exec(
      fmt::format("PRAGMA trusted_schema = OFF; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;"
                  "PRAGMA cache_size = -{}; PRAGMA cell_size_check = ON",
                  options.cache_kib));
  // The first read of the file: what is no database fails here.
  database->exec("PRAGMA schema_version");
  return database;
}

// A path as SQLite reads it in a URI (sqlite.org/uri.html), which lets a file be called immutable:
// then it is neither locked nor looked at for a log.
std::string immutable_uri(const std::string& path) {
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    if (c == '?' || c == '#' || c == '%')
      uri += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    else
      uri += c;
  }
  return uri + "?immutable=1";
}

std::unique_ptr<SQLite::Database> open_for_reading(const std::string& path,
                                                   const StoreOptions& options) {
  // With a journal SQLite refuses, which undoing the change would need the right to write for.
  const FileState state = FileState::of(path);
  const bool is_still = options.reading == Reading::kAnyCopy && std::filesystem::exists(path) &&
                        !state.has_log() && !state.has_journal();
  return is_still ? open(immutable_uri(path), SQLite::OPEN_READONLY | SQLite::OPEN_URI, options)
                  : open(path, SQLite::OPEN_READONLY, options);
}

void configure_writer(SQLite::Database& database, const StoreOptions& options) {
  // Turning a new file into a WAL database is one transaction with a rollback journal. EXTRA also
  // syncs the directory after the journal is deleted: a journal that came back after a power cut
  // would roll the whole database back to nothing.
  database.exec(
      fmt::format("PRAGMA synchronous = EXTRA; PRAGMA page_size = {}", options.page_bytes));
  {
    // The transaction commits when the statement is done, which is after its only row.
    Statement set_wal(database, "PRAGMA journal_mode = WAL");
    Statement::Rows rows = set_wal.query();
    bool is_wal = false;
    while (rows.next()) is_wal = rows.bytes(0) == "wal";
    if (!is_wal)
      throw StoreFailure(
          "the database cannot use a write-ahead log; put it on a local file system");
  }
  // secure_delete FAST overwrites deleted octets wherever that costs no extra page write; erasure
  // needs ON for its own transaction.
  database.exec(
      "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = FAST;"
      "PRAGMA foreign_keys = OFF");
  database.exec(fmt::format("PRAGMA journal_size_limit = {}", 4 * options.wal_bytes_max));
}

tl::unexpected<chain::Error> refused(const std::string& path, const SQLite::Exception& cause) {
  if (cause.getErrorCode() == SQLITE_NOTADB)
    return chain::fail(ErrorCode::kInvalid,
                       fmt::format("{} is not a database; name another file", path));
  const FileState state = FileState::of(path);
  if (state.has_journal())
    return chain::fail(
        ErrorCode::kIo,
        fmt::format("cannot open {}: {} (SQLite code {}); beside it lies a rollback journal "
                    "(-journal) of a change that was cut off, so the file is half changed: copy "
                    "the directory, open the copy for writing once, which undoes the change "
                    "(sqlite3 FILE \"PRAGMA user_version\"), and name that",
                    path, cause.what(), cause.getExtendedErrorCode()));
  // What SQLite says where a write-ahead log has no index and none can be made.
  if (state.has_log() &&
      (cause.getErrorCode() == SQLITE_CANTOPEN || cause.getErrorCode() == SQLITE_READONLY))
    return chain::fail(
        ErrorCode::kIo,
        fmt::format("cannot open {}: {} (SQLite code {}); beside it lies a write-ahead log, which "
                    "can be read only with the -shm file of a running node or where one can be "
                    "made: copy the whole directory to where you may write, and name that",
                    path, cause.what(), cause.getExtendedErrorCode()));
  return chain::fail(
      ErrorCode::kIo,
      fmt::format("cannot open {}: {} (SQLite code {}); check the path, its rights and the disk",
                  path, cause.what(), cause.getExtendedErrorCode()));
}

}  // namespace

std::unique_ptr<SQLite::Database> open_any_copy(const std::string& path) {
  StoreOptions options;
  options.reading = Reading::kAnyCopy;
  return open_for_reading(path, options);
}

Opened open_writer(const std::string& path, const chain::Genesis& genesis, const Disk& disk,
                   const StoreOptions& options, const Schema& schema) {
  try {
    auto database = open(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, options);
    // A foreign file is refused before anything in it is changed, its journal mode included.
    if (auto checked = check_foreign(*database, disk, schema); !checked)
      return tl::unexpected<chain::Error>(checked.error());
    configure_writer(*database, options);
    if (auto prepared = prepare_schema(*database, genesis, disk.id, schema); !prepared)
      return tl::unexpected<chain::Error>(prepared.error());
    return database;
  } catch (const SQLite::Exception& cause) {
    return refused(path, cause);
  } catch (const StoreFailure& failure) {
    return chain::fail(ErrorCode::kIo, fmt::format("cannot open {}: {}", path, failure.what()));
  }
}

Opened open_read_only(const std::string& path, const chain::Genesis& genesis,
                      const StoreOptions& options, const Schema& schema) {
  try {
    auto database = open_for_reading(path, options);
    database->exec("PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0");
    if (auto checked = check_schema(*database, genesis, schema); !checked)
      return tl::unexpected<chain::Error>(checked.error());
    return database;
  } catch (const SQLite::Exception& cause) {
    return refused(path, cause);
  } catch (const StoreFailure& failure) {
    return chain::fail(ErrorCode::kIo, fmt::format("cannot open {}: {}", path, failure.what()));
  }
}

}  // namespace eventchain::store
