#include "store/sqlite/sqlite_witness_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "store/sqlite/small_database.h"
#include "store/sqlite/statement.h"

namespace eventchain::store {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

constexpr SmallSchema kWitnessSchema{0x45435731,  // "ECW1"
                                     "a witness of EventChain", R"sql(
CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE cosigned(
  origin BLOB PRIMARY KEY,
  size INTEGER NOT NULL, root BLOB NOT NULL, time INTEGER NOT NULL, note BLOB NOT NULL
) WITHOUT ROWID;
)sql",
                                     "verifier"};

constexpr SmallSchema kCosignatureSchema{0x45435331,  // "ECS1"
                                         "an EventChain node's cosignatures", R"sql(
CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE cosigned(
  witness BLOB PRIMARY KEY,
  size INTEGER NOT NULL, time INTEGER NOT NULL, note BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE witnessed(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  size INTEGER NOT NULL, seen INTEGER NOT NULL, note BLOB NOT NULL);
)sql",
                                         "origin"};

}  // namespace

struct SqliteWitnessMemory::State {
  explicit State(SmallDatabase opened)
      : file(std::move(opened)),
        verifier(owner_of(*file.database, kWitnessSchema)),
        select(*file.database, "SELECT size, root, note FROM cosigned WHERE origin = ?"),
        upsert(*file.database,
               "INSERT INTO cosigned VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (origin) DO UPDATE SET"
               " size = ?2, root = ?3, time = ?4, note = ?5") {}

  SmallDatabase file;
  const std::string verifier;
  Statement select, upsert;
};

SqliteWitnessMemory::SqliteWitnessMemory(std::unique_ptr<State> state) : state_(std::move(state)) {}
SqliteWitnessMemory::~SqliteWitnessMemory() = default;

const std::string& SqliteWitnessMemory::verifier() const {
  return state_->verifier;
}

std::optional<WitnessMemory::Cosigned> SqliteWitnessMemory::last(const std::string& origin) {
  Statement::Rows rows = state_->select.query(origin);
  if (!rows.next()) return std::nullopt;
  const auto root = chain::Hash::from(rows.bytes(1));
  const auto note = chain::decode_note(rows.bytes(2));
  const auto head = note ? chain::parse_log_head(note->text)
                         : chain::Result<chain::LogHead>(tl::unexpected(note.error()));
  // Two places say it, so that neither is believed alone: a smaller size, or another root, would
  // make a second history of what it vouches for.
  if (!root || !head || *head != chain::LogHead{origin, rows.number(0), *root})
    throw StoreFailure(
        fmt::format("the witness' memory of the log {} is damaged, and a witness that does not "
                    "know what it cosigned cosigns nothing; make a new witness with a new key in a "
                    "new directory, and tell the logs",
                    origin));
  return Cosigned{*head, std::string(rows.bytes(2))};
}

void SqliteWitnessMemory::keep(const Cosigned& cosigned, chain::UnixSeconds time) {
  state_->upsert.run(cosigned.head.origin, cosigned.head.size, cosigned.head.root, time.value,
                     cosigned.note);
}

Result<void> make_witness_memory(const std::string& path, const std::string& verifier,
                                 const StoreOptions& options) {
  const auto made = open_small_database(path, kWitnessSchema, Opening::kNew, verifier, options);
  if (!made) return tl::unexpected<chain::Error>(made.error());
  return {};
}

Result<std::unique_ptr<SqliteWitnessMemory>> open_witness_memory(const std::string& path,
                                                                 const StoreOptions& options) {
  auto opened = open_small_database(path, kWitnessSchema, Opening::kExisting, {}, options);
  if (!opened) return tl::unexpected<chain::Error>(opened.error());
  try {
    return std::unique_ptr<SqliteWitnessMemory>(
        new SqliteWitnessMemory(std::make_unique<SqliteWitnessMemory::State>(std::move(*opened))));
  } catch (const StoreFailure& failure) {
    return fail(ErrorCode::kIo, fmt::format("cannot read {}: {}", path, failure.what()));
  }
}

namespace {

constexpr std::uint64_t kSome = 1;

// In meta, beside whose file it is: what a witness once knew is a word on its key, not on its last
// cosignature.
std::string forgot_name(const std::string& witness) {
  return "forgot " + witness;
}

}  // namespace

struct SqliteCosignatureMemory::State {
  explicit State(SmallDatabase opened)
      : file(std::move(opened)),
        begin(*file.database, "BEGIN IMMEDIATE"),
        commit(*file.database, "COMMIT"),
        select_cosigned(*file.database,
                        "SELECT witness, size, time, note FROM cosigned ORDER BY witness"),
        select_witnessed(*file.database, "SELECT size, seen, note FROM witnessed"),
        select_forgot(*file.database, "SELECT value FROM meta WHERE name = CAST(? AS TEXT)"),
        put_cosigned(*file.database, "INSERT OR REPLACE INTO cosigned VALUES (?, ?, ?, ?)"),
        put_forgot(*file.database, "INSERT OR REPLACE INTO meta VALUES (CAST(? AS TEXT), ?)"),
        put_witnessed(*file.database, "INSERT OR REPLACE INTO witnessed VALUES (1, ?, ?, ?)") {}

  SmallDatabase file;
  Statement begin, commit, select_cosigned, select_witnessed, select_forgot;
  Statement put_cosigned, put_forgot, put_witnessed;
};

SqliteCosignatureMemory::SqliteCosignatureMemory(std::unique_ptr<State> state)
    : state_(std::move(state)) {}
SqliteCosignatureMemory::~SqliteCosignatureMemory() = default;

std::vector<CosignatureMemory::Cosigned> SqliteCosignatureMemory::cosigned() {
  std::vector<Cosigned> all;
  for (Statement::Rows rows = state_->select_cosigned.query(); rows.next();)
    all.push_back({std::string(rows.bytes(0)), rows.number(1), chain::UnixSeconds{rows.integer(2)},
                   std::string(rows.bytes(3)), 0});
  for (Cosigned& one : all) {
    const std::string name = forgot_name(one.witness);
    Statement::Rows rows = state_->select_forgot.query(name);
    // Whatever the number has become: that it is there says that the witness forgot.
    if (rows.next()) one.forgot = std::max(chain::parse_decimal(rows.bytes(0)).value_or(1), kSome);
  }
  return all;
}

std::optional<CosignatureMemory::Witnessed> SqliteCosignatureMemory::witnessed() {
  Statement::Rows rows = state_->select_witnessed.query();
  if (!rows.next()) return std::nullopt;
  return Witnessed{rows.number(0), chain::UnixMillis{rows.integer(1)}, std::string(rows.bytes(2))};
}

void SqliteCosignatureMemory::keep(const Cosigned& cosigned,
                                   const std::optional<Witnessed>& witnessed) {
  state_->begin.run();
  state_->put_cosigned.run(cosigned.witness, cosigned.size, cosigned.time.value, cosigned.note);
  if (cosigned.forgot > 0)
    state_->put_forgot.run(forgot_name(cosigned.witness), std::to_string(cosigned.forgot));
  if (witnessed) state_->put_witnessed.run(witnessed->size, witnessed->seen.value, witnessed->note);
  state_->commit.run();
}

Result<std::unique_ptr<SqliteCosignatureMemory>> open_cosignature_memory(
    const std::string& path, const std::string& origin, const StoreOptions& options) {
  auto opened =
      open_small_database(path, kCosignatureSchema, Opening::kEitherKind, origin, options);
  if (!opened) return tl::unexpected<chain::Error>(opened.error());
  try {
    if (owner_of(*opened->database, kCosignatureSchema) != origin)
      return fail(ErrorCode::kConflict,
                  fmt::format("{} has cosignatures of another chain's log; move it away", path));
    return std::unique_ptr<SqliteCosignatureMemory>(new SqliteCosignatureMemory(
        std::make_unique<SqliteCosignatureMemory::State>(std::move(*opened))));
  } catch (const StoreFailure& failure) {
    return fail(ErrorCode::kIo, fmt::format("cannot read {}: {}", path, failure.what()));
  }
}

}  // namespace eventchain::store
