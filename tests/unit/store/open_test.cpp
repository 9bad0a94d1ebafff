#include <SQLiteCpp/Database.h>
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "both_stores.h"
#include "store/sqlite/sqlite_reader.h"
#include "store/sqlite/sqlite_store.h"

// What the file on disk must be before a node uses it, and what damage to it does (fault F8).
namespace eventchain::store::testing {

namespace {

using chain::ErrorCode;
using chain::Height;
using chain::Position;
using consensus::LogIndex;

std::string error_of_opening(const std::string& path, const chain::Genesis& genesis) {
  const auto store = open_store(path, genesis, small_disk());
  return store ? "opened" : store.error().message;
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Three blocks of one event each, and one event that waits.
struct Damaged {
  Damaged() {
    auto store = *open_store(path, small_genesis(), small_disk());
    store->chain().recover();
    BlockMaker maker(small_genesis());
    for (std::uint64_t height = 1; height <= 3; ++height) {
      placed.push_back(event_of(height, 1));
      turn(*store, [&] { store->chain().put_event(placed.back()); });
      turn(*store,
           [&] { store->chain().apply_block(maker.next({placed.back()}, {}, LogIndex{height})); });
    }
    turn(*store, [&] { store->chain().put_event(waiting); });
  }
  // As a bad disk would, behind the store's back.
  void change(const std::string& sql) {
    SQLite::Database database(path, SQLite::OPEN_READWRITE);
    REQUIRE(database.exec(sql) > 0);
  }

  DataDirectory directory;
  std::string path = directory.file("chain.db");
  std::vector<chain::HeldEvent> placed;
  chain::HeldEvent waiting = event_of(9, 1);
};

std::string recovery_failure(const std::string& path) {
  auto store = open_store(path, small_genesis(), small_disk());
  REQUIRE_MESSAGE(store, store.error().message);
  try {
    (*store)->chain().recover();
  } catch (const StoreFailure& failure) {
    return failure.what();
  }
  return "recovered";
}

}  // namespace

TEST_CASE("a file that is not ours is refused and left as it was") {
  DataDirectory directory;
  const std::string text = directory.file("notes.txt");
  std::ofstream(text) << std::string(5'000, 'n');
  CHECK(says(error_of_opening(text, small_genesis()), "not a database"));

  const std::string foreign = directory.file("foreign.db");
  {
    SQLite::Database database(foreign, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    database.exec("CREATE TABLE other(value)");
  }
  CHECK(says(error_of_opening(foreign, small_genesis()), "not a database of EventChain"));
  SQLite::Database database(foreign);
  CHECK(database.execAndGet("PRAGMA journal_mode").getString() == "delete");
}

TEST_CASE("another schema version and another chain are refused with the remedy") {
  DataDirectory directory;
  const std::string path = directory.file("chain.db");
  REQUIRE(open_store(path, small_genesis(), small_disk()));
  chain::Genesis other = small_genesis();
  other.name = "other";
  CHECK(says(error_of_opening(path, other), "holds another chain"));
  CHECK_FALSE(open_reader(path, other, 1));
  {
    SQLite::Database database(path, SQLite::OPEN_READWRITE);
    database.exec("PRAGMA user_version = 99");
  }
  CHECK(says(error_of_opening(path, small_genesis()), "schema version 99"));
  {
    SQLite::Database database(path, SQLite::OPEN_READWRITE);
    database.exec("PRAGMA user_version = 1");
  }
  CHECK(says(error_of_opening(path, small_genesis()), "from before the first release"));
}

TEST_CASE("a file of schema version 2 is brought to this version and keeps what it has") {
  DataDirectory directory;
  const std::string path = directory.file("chain.db");
  const auto event = event_of(1, 1);
  {
    auto store = open_store(path, small_genesis(), small_disk());
    REQUIRE_MESSAGE(store, store.error().message);
    (*store)->chain().recover();
    turn(**store, [&] { (*store)->chain().put_event(event); });
  }
  {
    SQLite::Database database(path, SQLite::OPEN_READWRITE);
    database.exec(
        "DROP TABLE signature; DROP TABLE member_set; DROP TABLE peer_seen;"
        "PRAGMA user_version = 2");
  }
  const auto too_early = open_reader(path, small_genesis(), 1);
  REQUIRE_FALSE(too_early);
  CHECK(says(too_early.error().message, "start the node once"));
  auto store = open_store(path, small_genesis(), small_disk());
  REQUIRE_MESSAGE(store, store.error().message);
  CHECK((*store)->chain().recover().pending.size() == 1);
  turn(**store, [&] { (*store)->chain().put_signature(chain::Height{1}, {chain::Slot{0}, {}}); });
  CHECK((*store)->chain().signatures(chain::Height{1}).size() == 1);
}

TEST_CASE("a second writer is kept out until the first has gone") {
  DataDirectory directory;
  const std::string path = directory.file("chain.db");
  auto first = open_store(path, small_genesis(), small_disk());
  REQUIRE(first);
  const StoreId id = (*first)->id();
  CHECK(open_store(path, small_genesis(), small_disk()).error().code == ErrorCode::kUnavailable);
  first->reset();
  auto second = open_store(path, small_genesis(), small_disk());
  REQUIRE(second);
  CHECK((*second)->id() == id);
  CHECK_FALSE(id.is_zero());
}

TEST_CASE("a disk that was lost is not replaced by an empty one") {
  DataDirectory directory;
  const std::string path = directory.file("chain.db");
  const auto permit = directory.path() / "store-id";
  REQUIRE(open_store(path, small_genesis(), small_disk()));
  CHECK_FALSE(std::filesystem::exists(permit));
  CHECK((*open_store(path, small_genesis(), small_disk()))->id() == small_disk());

  std::filesystem::remove(path);
  CHECK(says(error_of_opening(path, small_genesis()), "disk was lost"));
  CHECK_FALSE(std::filesystem::exists(path));
  std::ofstream(path).close();  // what SQLite leaves when a start is cut off at its beginning
  CHECK(says(error_of_opening(path, small_genesis()), "disk was lost"));
  std::filesystem::remove_all(directory.path());
  CHECK(says(error_of_opening(path, small_genesis()), "disk was lost"));
}

TEST_CASE("a start that was cut off before the permit was removed is finished by the next") {
  DataDirectory directory;
  const std::string path = directory.file("chain.db");
  const auto permit = directory.path() / "store-id";
  REQUIRE(open_store(path, small_genesis(), small_disk()));
  std::ofstream(permit) << to_hex(small_disk()) << '\n';
  REQUIRE(open_store(path, small_genesis(), small_disk()));
  CHECK_FALSE(std::filesystem::exists(permit));
}

TEST_CASE("another member's disk is refused, by its permit and by its database") {
  DataDirectory directory;
  const std::string path = directory.file("chain.db");
  const auto permit = directory.path() / "store-id";
  const chain::StoreId other = small_genesis().voters[1].store;
  const auto error_for = [&](const chain::StoreId& id) {
    const auto store = open_store(path, small_genesis(), id);
    return store ? "opened" : store.error().message;
  };
  CHECK(says(error_for(other), "belongs to another disk"));
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK_FALSE(write_store_id(directory.path(), other));
  std::ofstream(permit) << "not an id\n";
  CHECK(says(error_for(small_disk()), "32 lower-case hexadecimal digits"));
  std::filesystem::remove(permit);
  REQUIRE(write_store_id(directory.path(), small_disk()));
  CHECK(error_for(small_disk()) == "opened");
  CHECK(says(error_for(other), "belongs to another disk"));
  // Nobody who has run may be set up again.
  CHECK(says(write_store_id(directory.path(), small_disk()).error().message, "has a database"));
}

TEST_CASE("a missing directory is an error that names the path") {
  DataDirectory directory;
  CHECK(says(error_of_opening(directory.file("none/chain.db"), small_genesis()), "none/chain.db"));
  CHECK_FALSE(open_reader(directory.file("none.db"), small_genesis(), 1));
}

TEST_CASE("a reader sees committed turns only, while the writer works") {
  DataDirectory directory;
  const std::string path = directory.file("chain.db");
  auto store = *open_store(path, small_genesis(), small_disk());
  auto reader = *open_reader(path, small_genesis(), 1);
  store->chain().recover();
  const auto event = event_of(1, 1);
  BlockMaker maker(small_genesis());
  store->turns().begin();
  store->chain().put_event(event);
  store->chain().apply_block(maker.next({event}, {}, consensus::LogIndex{1}));
  CHECK(reader->event(event.facts.key)->state == EventLookup::State::kUnknown);
  store->turns().commit();
  CHECK(reader->event(event.facts.key)->state == EventLookup::State::kCompleted);
}

TEST_CASE("a rotten body is not handed out") {
  Damaged damaged;
  const auto& event = damaged.placed[1];
  for (const char* column : {"body", "salt"}) {
    INFO(std::string(column));
    damaged.change(std::string("UPDATE event SET ") + column + " = substr(" + column +
                   ", 1, length(" + column + ") - 1) || x'7f' WHERE arrival = 2");
    auto store = *open_store(damaged.path, small_genesis(), small_disk());
    store->chain().recover();
    auto reader = *open_reader(damaged.path, small_genesis(), 1);
    CHECK(store->chain().load_event(ref(event)).error().code == ErrorCode::kCorrupt);
    CHECK_THROWS_AS(store->chain().find_event(event.facts.key), StoreFailure);
    CHECK(reader->event(event.facts.key).error().code == ErrorCode::kCorrupt);
    CHECK(reader->log(Position{0}, 10).error().code == ErrorCode::kCorrupt);
    CHECK(reader->stream(event.facts.stream, {0}, 10).error().code == ErrorCode::kCorrupt);
    CHECK(reader->log(Position{2}, 10)->size() == 1);  // what is whole is still served
  }
}

TEST_CASE("an event that was exchanged for another well-formed one is not handed out") {
  Damaged damaged;
  damaged.change(
      "UPDATE event SET (mark, salt, body) = (SELECT mark, salt, body FROM event WHERE arrival = 1)"
      " WHERE arrival = 2");
  auto reader = *open_reader(damaged.path, small_genesis(), 1);
  CHECK(reader->event(damaged.placed[1].facts.key).error().code == ErrorCode::kCorrupt);
  CHECK(reader->log(Position{1}, 1).error().code == ErrorCode::kCorrupt);
}

TEST_CASE("a damaged block is not handed out") {
  for (const char* change :
       {"UPDATE block SET sealed = zeroblob(300) WHERE height = 2",
        "UPDATE block SET sealed = (SELECT sealed FROM block WHERE height = 1) WHERE height = 2",
        "UPDATE block SET content = (SELECT content FROM block WHERE height = 1) WHERE height = 2",
        "UPDATE block SET (content, content_hash) = (SELECT content, content_hash FROM block"
        " WHERE height = 0) WHERE height = 2",
        "UPDATE block SET id = randomblob(32) WHERE height = 2"}) {
    INFO(std::string(change));
    Damaged damaged;
    damaged.change(change);
    auto store = *open_store(damaged.path, small_genesis(), small_disk());
    auto reader = *open_reader(damaged.path, small_genesis(), 1);
    CHECK(store->chain().block(Height{2}).error().code == ErrorCode::kCorrupt);
    CHECK(reader->block(Height{2}).error().code == ErrorCode::kCorrupt);
    CHECK(reader->block(Height{1}));
  }
}

TEST_CASE("a node does not start from a damaged tip, and says what is damaged") {
  struct Case {
    const char* change;
    const char* message;
  };
  const Case cases[] = {
      {"UPDATE block SET sealed = (SELECT sealed FROM block WHERE height = 2) WHERE height = 3",
       "height 3"},
      {"UPDATE peaks SET log = (SELECT id || id FROM block WHERE height = 1)", "log root"},
      {"UPDATE peaks SET log = x'00'", "hashes"},
      {"UPDATE history_node SET node = (SELECT node FROM history_node WHERE place = 1)"
       " WHERE place = 3",
       "history"},
      {"UPDATE peaks SET history = (SELECT node FROM history_node WHERE place = 0)", "history"},
      {"DELETE FROM block WHERE height = 3", "height 2"},
      {"UPDATE event SET salt = randomblob(32) WHERE arrival = 4", "does not hash"},
  };
  for (const Case& each : cases) {
    INFO(std::string(each.change));
    Damaged damaged;
    CHECK(recovery_failure(damaged.path) == "recovered");
    damaged.change(each.change);
    const std::string failure = recovery_failure(damaged.path);
    CHECK_MESSAGE(says(failure, each.message), failure);
  }
}

TEST_CASE("a restart finds the pending events behind thousands of placed ones") {
  DataDirectory directory;
  const std::string path = directory.file("chain.db");
  const auto early = event_of(1, 1);
  const auto late = event_of(2, 1);
  BlockMaker maker(small_genesis());
  for (const bool has_early : {false, true}) {
    auto store = *open_store(path, small_genesis(), small_disk());
    store->chain().recover();
    if (has_early) turn(*store, [&] { store->chain().put_event(early); });
    std::vector<chain::HeldEvent> entries;
    const std::uint64_t first = has_early ? 20'000 : 10'000;
    for (std::uint64_t i = 0; i < 5'000; ++i) entries.push_back(event_of(first + i, i % 7));
    turn(*store, [&] {
      for (const auto& event : entries) store->chain().put_event(event);
    });
    turn(*store, [&] { store->chain().apply_block(maker.next(entries, {}, LogIndex{1})); });
  }
  auto store = *open_store(path, small_genesis(), small_disk());
  store->chain().recover();
  turn(*store, [&] { store->chain().put_event(late); });
  const auto pending = store->chain().recover().pending;
  REQUIRE(pending.size() == 2);
  CHECK(pending[0].second == early.facts);
  CHECK(pending[1].second == late.facts);
}

TEST_CASE("a file whose schema is not the one this program makes is refused") {
  // Only what nobody needs is to be dropped.
  const std::vector<std::pair<std::string, std::string>> changes{
      {"ALTER TABLE block RENAME TO hidden; CREATE VIEW block AS SELECT * FROM hidden",
       "\"; use another copy"},
      {"CREATE TRIGGER eager AFTER INSERT ON event BEGIN DELETE FROM event; END",
       "it has \"trigger eager of event\" besides, which somebody added: drop that"},
      {"CREATE INDEX covering ON event(arrival, mark, salt, body)",
       "it has \"index covering of event\" besides, which somebody added: drop that"},
      {"ALTER TABLE event ADD COLUMN twice AS (arrival * 2)",
       "its \"table event of event\" is another; use another copy"},
      {"DROP INDEX block_position",
       "it lacks \"index block_position of block\"; use another copy"}};
  for (const auto& one : changes) {
    const std::string change = one.first;
    INFO(change);
    Damaged damaged;
    SQLite::Database(damaged.path, SQLite::OPEN_READWRITE).exec(change);
    CHECK(says(error_of_opening(damaged.path, small_genesis()), one.second));
    const auto reader = open_reader(damaged.path, small_genesis(), 1);
    REQUIRE_FALSE(reader);
    CHECK(says(reader.error().message, "has other tables, indexes, views or triggers"));
  }
}

TEST_CASE("statistics of SQLite's own in a file are no reason to refuse it") {
  Damaged damaged;
  SQLite::Database(damaged.path, SQLite::OPEN_READWRITE).exec("ANALYZE");
  CHECK(open_reader(damaged.path, small_genesis(), 1));
}

}  // namespace eventchain::store::testing
