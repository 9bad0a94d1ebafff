#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "both_stores.h"
#include "chain/hash.h"
#include "golden_chain.h"
#include "store/sqlite/schema.h"

// Databases that earlier versions made, as text (tests/data/store), read and written on by this
// one. store/README.md, "Upgrades", says what to do when one of these tests fails.
namespace eventchain::store::testing {

namespace {

using chain::Height;
using chain::Position;
using chain::StreamVersion;

// Versions before it have no file: nobody ran them outside of tests.
constexpr int kFirstGolden = 4;

std::string golden_path(int version) {
  return EVENTCHAIN_TEST_DATA "/store/chain-schema-" + std::to_string(version) + ".sql";
}

std::unique_ptr<SqliteStore> open_for_writing(const std::string& path) {
  auto store = open_store(path, small_genesis(), small_disk());
  REQUIRE_MESSAGE(store, store.error().message);
  return std::move(*store);
}

// As the shell of SQLite makes it, with the two numbers in the file's header that make it ours.
std::string dump(SQLite::Database& database) {
  std::string text = "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n";
  for (const std::string pragma : {"application_id", "user_version"})
    text += "PRAGMA " + pragma + "=" + database.execAndGet("PRAGMA " + pragma).getString() + ";\n";
  SQLite::Statement parts(database, "SELECT type, name, sql FROM sqlite_master WHERE sql NOTNULL");
  while (parts.executeStep()) {
    text += parts.getColumn(2).getString() + ";\n";
    if (parts.getColumn(0).getString() != "table") continue;
    const std::string table = parts.getColumn(1).getString();
    std::string quoted;
    SQLite::Statement columns(database, "SELECT name FROM pragma_table_info(?) ORDER BY cid");
    columns.bind(1, table);
    while (columns.executeStep())
      quoted +=
          (quoted.empty() ? "quote(" : "||','||quote(") + columns.getColumn(0).getString() + ")";
    SQLite::Statement rows(database, "SELECT " + quoted + " FROM " + table);
    while (rows.executeStep())
      text += "INSERT INTO " + table + " VALUES(" + rows.getColumn(0).getString() + ");\n";
  }
  return text + "COMMIT;\n";
}

// Tables and indexes, by name.
std::string schema_of(const std::string& path) {
  SQLite::Database database(path);
  SQLite::Statement parts(database,
                          "SELECT sql FROM sqlite_master WHERE sql NOTNULL ORDER BY name");
  std::string text;
  while (parts.executeStep()) text += parts.getColumn(0).getString() + ";\n";
  return text;
}

void load_golden(int version, const std::string& path) {
  std::ifstream file(golden_path(version));
  REQUIRE_MESSAGE(file.is_open(), golden_path(version), " is missing: schema version ", version,
                  " needs its golden file; EVENTCHAIN_WRITE_GOLDEN=1 unit_store makes it "
                  "(store/README.md, \"Upgrades\")");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  SQLite::Database database(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  database.exec(text);
}

void write_golden() {
  DataDirectory directory;
  const std::string path = directory.file("chain.db");
  GoldenChain().write(*open_for_writing(path));
  SQLite::Database database(path);
  std::ofstream(golden_path(kSchemaVersion)) << dump(database);
}

std::string text_of(const chain::Result<std::vector<PlacedEvent>>& events) {
  if (!events) return events.error().message;
  std::string text;
  for (const PlacedEvent& placed : *events)
    text += " [" + std::to_string(placed.position.value) + " " +
            std::to_string(placed.version.value) + " " + std::to_string(placed.height.value) + " " +
            chain::to_hex(placed.event.salt) + " " + chain::to_hex(placed.event.body) + "]";
  return text;
}

std::string text_of(const chain::Certificate& certificate) {
  std::string text;
  for (const chain::SlotSignature& each : certificate)
    text += " " + std::to_string(each.slot.value) + ":" + chain::to_hex(each.signature);
  return text;
}

// What describe() leaves out, from both sides of the store.
std::string describe_more(Store& store, ChainReader& reader, const GoldenChain& golden) {
  const TipInfo tip = reader.tip();
  std::string text = "tip " + std::to_string(tip.height.value) + " " + chain::to_hex(tip.id) + " " +
                     std::to_string(tip.log_size) + " " + tip.total_work.to_decimal();
  text += "\ncertified " + std::to_string(store.chain().recover().certified.value);
  for (std::uint64_t height = 0; height <= tip.height.value; ++height) {
    const auto stored = reader.block(Height{height});
    REQUIRE_MESSAGE(stored, stored.error().message);
    text +=
        "\nblock " + chain::to_hex(stored->id) + " " + std::to_string(stored->first_position) +
        " " + chain::to_hex(chain::encode_sealed_header(stored->block.sealed)) + " " +
        chain::to_hex(chain::encode_content(stored->block.content)) + "\nmembers " +
        chain::to_hex(chain::encode_member_set(**reader.members(Height{height}))) +
        (*store.chain().members(Height{height}) == **reader.members(Height{height}) ? "" : "?") +
        "\nsigned" + text_of(reader.certificate(Height{height})) + " " +
        text_of(store.chain().signatures(Height{height}));
  }
  std::set<chain::StreamKey> streams;
  for (const chain::HeldEvent& event : golden.events) {
    streams.insert(event.facts.stream);
    const auto lookup = reader.event(event.facts.key);
    REQUIRE_MESSAGE(lookup, lookup.error().message);
    text += "\nlookup " + std::to_string(static_cast<int>(lookup->state)) + " " +
            (lookup->rejected ? std::to_string(static_cast<int>(*lookup->rejected)) : "") +
            (lookup->version ? " version " + std::to_string(lookup->version->value) : "");
  }
  for (const chain::StreamKey& stream : streams)
    text += "\nstream " + text_of(reader.stream(stream, StreamVersion{0}, 100));
  text += "\nlog " + text_of(reader.log(Position{0}, 100)) + "\ntree";
  for (const BlockApplication& made : golden.blocks)
    for (const chain::TreeHash& hash : made.tree_hashes)
      if (const auto found = reader.tree_hash(hash.level, hash.index))
        text += " " + chain::to_hex(*found);
      else
        text += " " + found.error().message;
  for (const StaleBlock& stale : reader.stale())
    text +=
        "\nstale " + chain::to_hex(chain::encode_sealed_header(stale.sealed)) + " " + stale.reason;
  const chain::TemplateHash hash = chain::template_hash(golden.undecided.block.sealed.header);
  if (const auto candidate = store.chain().find_template(hash))
    text += "\ntemplate " + chain::to_hex(chain::encode_header(candidate->header)) + " " +
            chain::to_hex(chain::encode_content(candidate->content));
  return text;
}

// Fresh from a golden file, which an older version wrote.
struct Loaded {
  explicit Loaded(int version) {
    load_golden(version, path);
    open();
  }
  void open() {
    reader.reset();
    store.reset();
    store = open_for_writing(path);
    store->chain().recover();
    auto opened = open_reader(path, small_genesis(), 1);
    REQUIRE_MESSAGE(opened, opened.error().message);
    reader = std::move(*opened);
  }

  DataDirectory directory;
  std::string path = directory.file("chain.db");
  std::unique_ptr<SqliteStore> store;
  std::unique_ptr<SqliteReader> reader;
};

// Every schema version that has a golden file, each with a story of its own.
void with_each_golden(const std::function<void(int)>& story) {
  for (int version = kFirstGolden; version <= kSchemaVersion; ++version) {
    INFO("schema version " << version);
    story(version);
  }
}

}  // namespace

TEST_CASE("the tables of a new database are those of the golden file of its schema version") {
  DataDirectory directory;
  if (std::getenv("EVENTCHAIN_WRITE_GOLDEN") != nullptr &&
      !std::filesystem::exists(golden_path(kSchemaVersion)))
    write_golden();
  const std::string golden = directory.file("golden.db");
  load_golden(kSchemaVersion, golden);
  const std::string made = directory.file("new.db");
  open_for_writing(made);
  CHECK_MESSAGE(schema_of(made) == schema_of(golden),
                "a schema version in use never changes: add a step to "
                "kMigrations, raise kSchemaVersion and make the new version's golden file beside "
                "the old ones (store/README.md, \"Upgrades\")");
}

TEST_CASE("a golden database of each version is brought to the tables of this one") {
  with_each_golden([](int version) {
    const Loaded loaded(version);
    DataDirectory directory;
    const std::string made = directory.file("chain.db");
    open_for_writing(made);
    CHECK(schema_of(loaded.path) == schema_of(made));
  });
}

TEST_CASE("a golden file has rows in every table") {
  with_each_golden([](int version) {
    DataDirectory directory;
    load_golden(version, directory.file("chain.db"));
    SQLite::Database database(directory.file("chain.db"));
    SQLite::Statement tables(database, "SELECT name FROM sqlite_master WHERE type = 'table'");
    while (tables.executeStep()) {
      const std::string table = tables.getColumn(0).getString();
      INFO(table);
      CHECK(database.execAndGet("SELECT count(*) FROM " + table).getInt() > 0);
    }
  });
}

TEST_CASE("a golden database of each version says what was put into it") {
  const GoldenChain golden;
  MemoryStore twin(small_genesis());
  golden.write(twin);
  with_each_golden([&](int version) {
    Loaded loaded(version);
    CHECK(loaded.store->id() == small_disk());
    CHECK(describe(*loaded.store, golden.events) == describe(twin, golden.events));
    CHECK(describe_more(*loaded.store, *loaded.reader, golden) ==
          describe_more(twin, twin, golden));
    CHECK(loaded.store->raft().load().entries ==
          std::vector<consensus::Entry>(golden.entries.begin() + 3, golden.entries.end()));
    CHECK(loaded.store->raft().snapshot() == golden.snapshot);
    CHECK(loaded.store->peers().load() == golden.peers);
  });
}

// The values above are made by this version. These are not, so both cannot go wrong in step.
TEST_CASE("a golden database of each version has the hashes it was made with") {
  with_each_golden([](int version) {
    Loaded loaded(version);
    const auto recovered = loaded.store->chain().recover();
    CHECK(recovered.state.height() == Height{5});
    CHECK(chain::to_hex(recovered.state.chain) ==
          "f22db12abe3fb76de1ed2e30de4fec69bb6aeebcd97cf33e4db84a59a051bd47");
    CHECK(chain::to_hex(recovered.state.tip) ==
          "bac0ac6c33f0ce11280e9441a168379ce2a6dd16fa2e561396eb271f7b241d53");
    CHECK(chain::to_hex(recovered.state.log.root()) ==
          "0d74d3604db2e6d81c1155a733f92b83c065051b66fb584e314e88c402f82368");
    CHECK(chain::to_hex(recovered.state.history.root()) ==
          "fdfd201df4b815d174b015036d25ba217fa997c4ccdc1dd50820bb3440bbb7ae");
    CHECK(chain::to_hex(recovered.state.member_set) ==
          "406b1d2d693a42c421da1286f41dcc69ce8d14e39e6479183e7c80b7ffc59d65");
    CHECK(recovered.applied == consensus::LogIndex{9});
    CHECK(recovered.certified == Height{3});
    REQUIRE(recovered.pending.size() == 2);
    CHECK(recovered.pending[0].first == 7);
    CHECK(chain::to_hex(recovered.pending[0].second.commitment) ==
          "003b068a014e20c8aa4b5ce604393873ca1e875a430bfc54e6fe0b3762cfaadf");
    CHECK(recovered.pending[1].first == 12);
    CHECK(chain::to_hex(recovered.pending[1].second.commitment) ==
          "5c17914564e40584cb93e2a4901dcc851d87f12c0c123523b7d88ca1c39694fb");
    CHECK(chain::to_hex(loaded.reader->block(Height{1})->id) ==
          "8f7329b4f00f03af1e3a2847c8fd1d6ed03622960222743bdfa77ddd8cf4fedf");
    CHECK(chain::to_hex(loaded.reader->block(Height{2})->id) ==
          "9e631bf9439387685fafa531f7a39dffa727954ec5dd4e4ee2fc7e33558d1b69");
    CHECK(chain::to_hex(loaded.reader->block(Height{3})->id) ==
          "5303bddd9e50b9a7231aa7226a0927b45e732b7e1503fe059cfbafcdd2ebe7d3");
    CHECK(chain::to_hex(loaded.reader->block(Height{4})->id) ==
          "200609cb8ba316a2071534e832315222f6313b364193827d77d8564c66bb5e97");
    CHECK(recovered.state.members->members.size() == 4);
    CHECK(recovered.state.members->policy == chain::VoterPolicy{3, 60'000});
    CHECK(loaded.store->raft().load().hard_state.term == consensus::Term{3});
  });
}

TEST_CASE("a golden database of each version can be written on") {
  with_each_golden([](int version) {
    GoldenChain golden;
    MemoryStore twin(small_genesis());
    golden.write(twin);
    Loaded loaded(version);
    const auto fresh = event_of(12, 1);
    golden.events.push_back(fresh);
    golden.blocks.push_back(
        golden.maker.next({golden.events[6], fresh}, {}, consensus::LogIndex{10}));
    const consensus::Entry entry{consensus::Term{3}, consensus::EntryKind::kBarrier, {}};
    for (Store* store : {static_cast<Store*>(&twin), static_cast<Store*>(loaded.store.get())})
      turn(*store, [&] {
        store->chain().put_event(fresh);
        store->chain().apply_block(golden.blocks.back());
        store->chain().put_signature(Height{5}, {chain::Slot{3}, {}});
        store->raft().append(consensus::LogIndex{10}, {entry});
      });
    loaded.open();
    CHECK(loaded.store->chain().recover().state.tip == golden.maker.state().tip);
    CHECK(describe(*loaded.store, golden.events) == describe(twin, golden.events));
    CHECK(describe_more(*loaded.store, *loaded.reader, golden) ==
          describe_more(twin, twin, golden));
  });
}

}  // namespace eventchain::store::testing
