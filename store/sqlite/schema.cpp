#include "store/sqlite/schema.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "chain/block.h"
#include "chain/hash.h"
#include "chain/rules.h"
#include "store/sqlite/statement.h"

namespace eventchain::store {

using chain::ErrorCode;
using chain::Result;

namespace {

// The first step makes kFirstVersion of an empty file, each further one the version after. A step
// that was released is never changed.
constexpr std::array<const char*, kSchemaVersion - kFirstVersion + 1> kMigrations = {R"sql(
CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE progress(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  applied INTEGER NOT NULL, pending_floor INTEGER NOT NULL);
CREATE TABLE peaks(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  log BLOB NOT NULL, history BLOB NOT NULL);

CREATE TABLE event(
  arrival INTEGER PRIMARY KEY,
  mark BLOB NOT NULL, salt BLOB NOT NULL, body BLOB NOT NULL);
CREATE TABLE recent_key(
  prefix INTEGER NOT NULL, arrival INTEGER NOT NULL, PRIMARY KEY(prefix, arrival)) WITHOUT ROWID;
CREATE TABLE event_key(
  prefix INTEGER NOT NULL, arrival INTEGER NOT NULL, PRIMARY KEY(prefix, arrival)) WITHOUT ROWID;
CREATE TABLE placement(
  arrival INTEGER PRIMARY KEY,
  height INTEGER NOT NULL, position INTEGER, version INTEGER NOT NULL, reason INTEGER);

CREATE TABLE block(
  height INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE, first_position INTEGER NOT NULL,
  content_hash BLOB NOT NULL, sealed BLOB NOT NULL, content BLOB NOT NULL);
CREATE INDEX block_position ON block(first_position);
CREATE TABLE stream_chunk(
  stream BLOB NOT NULL, first_version INTEGER NOT NULL, arrivals BLOB NOT NULL,
  PRIMARY KEY(stream, first_version)) WITHOUT ROWID;
CREATE TABLE tile(
  level INTEGER NOT NULL, number INTEGER NOT NULL, hashes BLOB NOT NULL,
  UNIQUE(level, number));
CREATE TABLE history_node(place INTEGER PRIMARY KEY, node BLOB NOT NULL);
CREATE TABLE template(
  hash BLOB NOT NULL UNIQUE, height INTEGER NOT NULL,
  header BLOB NOT NULL, content BLOB NOT NULL);
CREATE TABLE stale(number INTEGER PRIMARY KEY, sealed BLOB NOT NULL, reason TEXT NOT NULL);

CREATE TABLE raft_state(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  term INTEGER NOT NULL, voted_for INTEGER NOT NULL);
CREATE TABLE raft_entry(
  log_index INTEGER PRIMARY KEY,
  term INTEGER NOT NULL, kind INTEGER NOT NULL, payload BLOB NOT NULL);
CREATE TABLE raft_snapshot(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  log_index INTEGER NOT NULL, term INTEGER NOT NULL, configuration BLOB NOT NULL,
  configuration_index INTEGER NOT NULL, bytes BLOB NOT NULL);

INSERT INTO progress VALUES (1, 0, 1);
INSERT INTO raft_state VALUES (1, 0, 0);
)sql",
                                                                                     R"sql(
CREATE TABLE signature(
  height INTEGER NOT NULL, slot INTEGER NOT NULL, signature BLOB NOT NULL,
  PRIMARY KEY(height, slot)) WITHOUT ROWID;
)sql",
                                                                                     R"sql(
CREATE TABLE member_set(height INTEGER PRIMARY KEY, hash BLOB NOT NULL, encoded BLOB NOT NULL);
CREATE TABLE peer_seen(
  node BLOB PRIMARY KEY,
  store BLOB NOT NULL, term INTEGER NOT NULL, log_index INTEGER NOT NULL) WITHOUT ROWID;
)sql"};

// From this version on there are member sets.
constexpr std::int64_t kMembersVersion = 4;

std::int64_t pragma(SQLite::Database& database, const char* sql) {
  Statement statement(database, sql);
  Statement::Rows rows = statement.query();
  return rows.next() ? rows.integer(0) : 0;
}

bool is_empty(SQLite::Database& database) {
  return pragma(database, "SELECT count(*) FROM sqlite_master") == 0 &&
         pragma(database, "PRAGMA user_version") == 0;
}

// The genesis block is a row like any other, so that no reader has to treat it apart.
void insert_genesis(SQLite::Database& database, const chain::Genesis& genesis, const StoreId& id) {
  const chain::ChainState state = chain::initial_state(genesis);
  const chain::Bytes content = chain::encode_content({});
  const chain::Bytes sealed = chain::encode_sealed_header(state.tip_header);
  Statement(database, "INSERT INTO block VALUES (0, ?, 0, ?, ?, ?)")
      .run(state.tip, chain::sha256(content), sealed, content);
  chain::Bytes peaks;
  std::uint64_t place = 0;
  for (const chain::HistoryNode& node : state.history.peaks()) {
    const chain::Bytes encoded = chain::encode_history_node(node);
    Statement(database, "INSERT INTO history_node VALUES (?, ?)").run(place++, encoded);
    peaks += encoded;
  }
  Statement(database, "INSERT INTO peaks VALUES (1, x'', ?)").run(peaks);
  Statement(database, "INSERT INTO meta VALUES ('chain', ?)").run(state.chain);
  Statement(database, "INSERT INTO meta VALUES ('store', ?)").run(id);
}

// The first members are a row like any later ones, by the block that made them.
void insert_first_members(SQLite::Database& database, const chain::Genesis& genesis) {
  const chain::Bytes encoded = chain::encode_member_set(chain::first_members(genesis));
  Statement(database, "INSERT INTO member_set VALUES (0, ?, ?)")
      .run(chain::sha256(encoded), encoded);
}

void fill(SQLite::Database& database, const chain::Genesis& genesis, const StoreId& id,
          std::int64_t version, bool is_new) {
  if (is_new) insert_genesis(database, genesis, id);
  if (version == kMembersVersion) insert_first_members(database, genesis);
}

void migrate(SQLite::Database& database, const chain::Genesis& genesis, const StoreId& id,
             const Schema& schema, std::int64_t version) {
  const std::int64_t next = std::max<std::int64_t>(version + 1, schema.first_version);
  database.exec("BEGIN IMMEDIATE");
  database.exec(schema.steps[next - schema.first_version]);
  schema.fill(database, genesis, id, next, version == 0);
  database.exec(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}",
                            schema.application_id, next));
  database.exec("COMMIT");
}

// Its path, also where it was opened by a URI.
std::string file_of(SQLite::Database& database) {
  const char* path = sqlite3_db_filename(database.getHandle(), "main");
  return path == nullptr ? database.getFilename() : path;
}

Result<void> check_file(SQLite::Database& database, const Schema& schema) {
  const std::int64_t application = pragma(database, "PRAGMA application_id");
  const std::int64_t version = pragma(database, "PRAGMA user_version");
  if (application != schema.application_id)
    return chain::fail(ErrorCode::kInvalid,
                       fmt::format("{} is not a database of {}; name another file",
                                   file_of(database), schema.what));
  if (version < schema.first_version)
    return chain::fail(
        ErrorCode::kInvalid,
        fmt::format(
            "{} has schema version {}, from before the first release, which is not read any "
            "more; move it away and let the node fetch the chain from the others",
            file_of(database), version));
  if (version > schema.version)
    return chain::fail(
        ErrorCode::kInvalid,
        fmt::format("{} has schema version {}, this program knows up to {}; use the newer program "
                    "that wrote it",
                    file_of(database), version, schema.version));
  return {};
}

// "table block: CREATE TABLE block(...)", as the file has them. What `ANALYZE` leaves is no
// concern.
std::set<std::string> objects_of(SQLite::Database& database) {
  constexpr std::size_t kObjectsMax = 200;
  Statement select(
      database,
      "SELECT type || ' ' || name || ' of ' || tbl_name || ': ' || coalesce(sql, '')"
      " FROM sqlite_master WHERE NOT (type = 'table' AND name GLOB 'sqlite_stat[14]')");
  std::set<std::string> objects;
  for (Statement::Rows rows = select.query(); objects.size() <= kObjectsMax && rows.next();)
    objects.emplace(rows.bytes(0));
  return objects;
}

// Those of a new file. Any thread.
const std::set<std::string>& objects_of(const Schema& schema) {
  static std::mutex mutex;
  static std::map<const Schema*, std::set<std::string>> known;
  const std::lock_guard lock(mutex);
  if (const auto found = known.find(&schema); found != known.end()) return found->second;
  SQLite::Database made(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  for (int version = schema.first_version; version <= schema.version; ++version)
    made.exec(schema.steps[version - schema.first_version]);
  return known.emplace(&schema, objects_of(made)).first->second;
}

// "table block of block"
std::string name_in(const std::string& object) {
  return object.substr(0, object.find(':'));
}

bool has_name(const std::set<std::string>& objects, const std::string& name) {
  const auto at = objects.lower_bound(name + ':');
  return at != objects.end() && name_in(*at) == name;
}

// What is wrong, and what to do about it. Nobody is to be told to drop what may hold the data.
std::string difference(const std::set<std::string>& found, const std::set<std::string>& wanted) {
  for (const std::string& one : found)
    if (!wanted.contains(one) && has_name(wanted, name_in(one)))
      return fmt::format(
          "its \"{}\" is another; use another copy, or let the node fetch the chain "
          "from the others",
          name_in(one));
  for (const std::string& one : wanted)
    if (!has_name(found, name_in(one)))
      return fmt::format(
          "it lacks \"{}\"; use another copy, or let the node fetch the chain from "
          "the others",
          name_in(one));
  for (const std::string& one : found)
    if (!wanted.contains(one))
      return fmt::format(
          "it has \"{}\" besides, which somebody added: drop that with sqlite3 while "
          "no node runs, or use another copy",
          name_in(one));
  return "";
}

// A view in a table's place, a column that is computed, a trigger or an index more: by any of them
// a file decides what is read of it or written to it.
Result<void> check_objects(SQLite::Database& database, const Schema& schema) {
  const std::set<std::string> found = objects_of(database);
  const std::set<std::string>& wanted = objects_of(schema);
  if (found == wanted) return {};
  return chain::fail(
      ErrorCode::kInvalid,
      fmt::format("{} has other tables, indexes, views or triggers than this program makes: {}",
                  file_of(database), difference(found, wanted)));
}

}  // namespace

const Schema kFullSchema{kApplicationId, "EventChain",       kFirstVersion,
                         kSchemaVersion, kMigrations.data(), &fill};

std::optional<StoreId> store_id_of(SQLite::Database& database) {
  if (is_empty(database)) return std::nullopt;
  Statement select(database, "SELECT value FROM meta WHERE name = 'store'");
  Statement::Rows rows = select.query();
  if (!rows.next()) return std::nullopt;
  return rows.fixed<StoreId>(0);
}

tl::unexpected<chain::Error> lost_disk(const std::string& path) {
  return chain::fail(
      ErrorCode::kNotFound,
      fmt::format("there is no database at {}, and no store-id file that would permit a new one: "
                  "this member's disk was lost. A member must not come back with an empty disk "
                  "under its old identity, because it could vote twice; remove it from the cluster "
                  "and let it join anew as a new member. If it has never run, run \"eventchain "
                  "config init\"",
                  path));
}

tl::unexpected<chain::Error> another_disk(const std::string& what, const StoreId& wanted) {
  return chain::fail(ErrorCode::kInvalid,
                     fmt::format("{} belongs to another disk than this member's ({}); use the data "
                                 "directory that was made for this member",
                                 what, to_hex(wanted)));
}

Result<void> check_foreign(SQLite::Database& database, const Disk& disk, const Schema& schema) {
  if (is_empty(database)) {
    if (!disk.may_be_new) return lost_disk(database.getFilename());
    return {};
  }
  if (auto checked = check_file(database, schema); !checked) return checked;
  if (store_id_of(database) != disk.id) return another_disk(database.getFilename(), disk.id);
  return {};
}

Result<void> prepare_schema(SQLite::Database& database, const chain::Genesis& genesis,
                            const StoreId& id, const Schema& schema) {
  for (std::int64_t version = pragma(database, "PRAGMA user_version"); version < schema.version;
       version = pragma(database, "PRAGMA user_version"))
    migrate(database, genesis, id, schema, version);
  return check_schema(database, genesis, schema);
}

Result<void> check_schema(SQLite::Database& database, const chain::Genesis& genesis,
                          const Schema& schema) {
  if (auto checked = check_file(database, schema); !checked) return checked;
  const std::int64_t version = pragma(database, "PRAGMA user_version");
  if (version != schema.version)
    return chain::fail(ErrorCode::kInvalid,
                       fmt::format("{} has the older schema version {}; start the node once, it "
                                   "brings the file to version {}",
                                   file_of(database), version, schema.version));
  if (auto checked = check_objects(database, schema); !checked) return checked;
  Statement select(database, "SELECT value FROM meta WHERE name = 'chain'");
  Statement::Rows rows = select.query();
  const chain::ChainId wanted = chain::chain_id(genesis);
  if (!rows.next() || rows.fixed<chain::ChainId>(0) != wanted)
    return chain::fail(ErrorCode::kInvalid,
                       fmt::format("{} holds another chain than \"{}\" ({}); use the genesis file "
                                   "it was made with, or another database file",
                                   file_of(database), genesis.name, to_hex(wanted)));
  return {};
}

}  // namespace eventchain::store
