// A light member's store: the one in memory and the one on disk behave alike, and what opens.

#include <SQLiteCpp/Database.h>
#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "both_stores.h"
#include "store/memory_light_store.h"
#include "store/sqlite/sqlite_light_reader.h"
#include "store/sqlite/sqlite_light_store.h"

namespace eventchain::store::testing {

namespace {

using chain::ErrorCode;
using chain::Height;

constexpr const char* kFile = kLightDatabaseName;

// Runs of blocks as a light member checks them; every third block changes the members.
class RunMaker {
 public:
  LightRun next(std::size_t blocks) {
    LightRun run;
    for (std::size_t i = 0; i < blocks; ++i) {
      ++height_;
      std::vector<chain::MemberOrder> orders;
      if (height_ % 3 == 0) {
        const auto grace = static_cast<std::uint32_t>(height_);
        orders.push_back({"ann", chain::SetVoterPolicy{{3, grace}}});
      }
      run.history_before = maker_.state().history.peaks();
      const BlockApplication made =
          maker_.next({event_of(height_, 1)}, {}, consensus::LogIndex{height_}, orders);
      run.items.push_back({{made.block.sealed, made.block.content.annex}, made.id, made.members});
    }
    chain::Signature signature;
    signature.octets[0] = static_cast<std::uint8_t>(height_);
    run.certificate = {{chain::Slot{0}, signature}, {chain::Slot{2}, signature}};
    return run;
  }
  [[nodiscard]] const chain::ChainState& state() const { return maker_.state(); }

 private:
  BlockMaker maker_{small_genesis()};
  std::uint64_t height_ = 0;
};

void append(LightStore& store, const LightRun& run) {
  store.turns().begin();
  store.append(run);
  store.turns().commit();
}

LightStore::Recovered recover(LightStore& store) {
  store.turns().begin();
  LightStore::Recovered recovered = store.recover();
  store.turns().commit();
  return recovered;
}

std::unique_ptr<SqliteLightStore> open(const std::string& path) {
  auto opened = open_light_store(path, small_genesis(), small_disk());
  REQUIRE_MESSAGE(opened, opened.error().message);
  return std::move(*opened);
}

std::string error_of_opening(const std::string& path, const chain::StoreId& disk = small_disk()) {
  const auto opened = open_light_store(path, small_genesis(), disk);
  return opened ? "opened" : opened.error().message;
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a light store tells after a restart what its committed turns wrote") {
  const auto story = [](const std::function<LightStore&()>& now,
                        const std::function<void()>& restart) {
    RunMaker maker;
    const auto check = [&](const LightRun* last) {
      const LightStore::Recovered found = recover(now());
      CHECK(found.state.tip == maker.state().tip);
      CHECK(found.state.tip_header == maker.state().tip_header);
      CHECK(found.state.history.peaks() == maker.state().history.peaks());
      CHECK(*found.state.members == *maker.state().members);
      CHECK(found.state.member_set == maker.state().member_set);
      CHECK(found.certificate == (last ? last->certificate : chain::Certificate{}));
      const chain::Hash named = maker.state().tip_header.header.member_set;
      CHECK(chain::member_set_hash(*found.members_of_tip) == named);
    };
    check(nullptr);
    // Up to, past and at blocks that change the members.
    for (const std::size_t blocks : {1U, 2U, 1U, 5U}) {
      const LightRun run = maker.next(blocks);
      append(now(), run);
      check(&run);
      restart();
      check(&run);
    }
    const LightRun kept = maker.next(1);
    append(now(), kept);
    RunMaker lost = maker;
    now().turns().begin();
    now().append(lost.next(2));
    restart();
    check(&kept);
  };
  SUBCASE("in memory") {
    MemoryLightStore store(small_genesis());
    story([&]() -> LightStore& { return store; }, [&] { store.crash(); });
  }
  SUBCASE("in SQLite") {
    DataDirectory directory;
    auto store = open(directory.file(kFile));
    story([&]() -> LightStore& { return *store; },
          [&] {
            store.reset();
            store = open(directory.file(kFile));
          });
  }
}

TEST_CASE("readers of a light store see headers, members and the certificate of the tip") {
  DataDirectory directory;
  auto store = open(directory.file(kFile));
  auto opened = open_light_reader(directory.file(kFile), small_genesis());
  REQUIRE_MESSAGE(opened, opened.error().message);
  ChainReader& reader = **opened;
  CHECK(reader.tip().height == Height{0});
  CHECK(reader.certificate(Height{0}).empty());
  CHECK(reader.member_changes().empty());
  CHECK_FALSE(reader.next_signed(Height{0}).has_value());

  RunMaker maker;
  const LightRun run = maker.next(7);
  append(*store, run);
  const TipInfo tip = reader.tip();
  CHECK(tip.id == maker.state().tip);
  CHECK(tip.sealed == maker.state().tip_header);
  CHECK(tip.log_size == 7);
  CHECK(tip.total_work == maker.state().history.total_work());
  const auto headers = reader.headers(Height{3}, 3);
  REQUIRE(headers.has_value());
  REQUIRE(headers->size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK((*headers)[i] == run.items[i + 2].block.sealed);
  CHECK(reader.headers(Height{8}, 3)->empty());
  CHECK(**reader.members(Height{8}) == *maker.state().members);
  CHECK(**reader.members(Height{3}) == chain::first_members(small_genesis()));
  CHECK((*reader.members(Height{4}))->policy.grace_ms == 3);
  CHECK(reader.certificate(Height{7}) == run.certificate);
  CHECK(reader.certificate(Height{6}).empty());
  CHECK(reader.stale().empty());
  CHECK(reader.next_signed(Height{1}) == Height{7});
  CHECK_FALSE(reader.next_signed(Height{8}).has_value());
  CHECK_FALSE(reader.member_changes().empty());

  CHECK(reader.block(Height{1}).error().code == ErrorCode::kUnavailable);
  CHECK(reader.event({}).error().code == ErrorCode::kUnavailable);
  CHECK(reader.log({}, 1).error().code == ErrorCode::kUnavailable);
  CHECK(reader.stream({}, {}, 1).error().code == ErrorCode::kUnavailable);
  CHECK(reader.tree_hash(0, 0).error().code == ErrorCode::kUnavailable);
  CHECK(reader.history_node(0).error().code == ErrorCode::kUnavailable);
}

TEST_CASE("a light store has no table for entries or bodies") {
  DataDirectory directory;
  append(*open(directory.file(kFile)), RunMaker().next(4));
  SQLite::Database database(directory.file(kFile), SQLite::OPEN_READONLY);
  SQLite::Statement tables(database, "SELECT name FROM sqlite_master WHERE type = 'table'");
  std::set<std::string> names;
  while (tables.executeStep()) names.insert(tables.getColumn(0).getString());
  CHECK(names == std::set<std::string>{"meta", "block", "member_set", "below_tip", "signature"});
}

TEST_CASE("a light store is made once, where a permit for its disk lies, and opened by one") {
  chain::StoreId other = small_disk();
  other.octets[1] ^= 1;
  {
    TemporaryDirectory bare;
    CHECK(says(error_of_opening(bare.file(kFile)), "disk was lost"));
  }
  DataDirectory directory;
  const std::string path = directory.file(kFile);
  CHECK(says(error_of_opening(path, other), "another disk"));
  auto store = open(path);
  CHECK(store->id() == small_disk());
  CHECK_FALSE(std::filesystem::exists(directory.file("store-id")));
  CHECK(error_of_opening(path) != "opened");  // locked
  store.reset();
  CHECK(error_of_opening(path) == "opened");
  CHECK(says(error_of_opening(path, other), "another disk"));
  // A second permit would let it start anew.
  CHECK_FALSE(write_store_id(directory.path(), small_disk()).has_value());
  std::filesystem::remove(path);
  CHECK(says(error_of_opening(path), "disk was lost"));
}

TEST_CASE("neither kind of store opens the other's file, and an older program no newer one") {
  DataDirectory directory;
  const std::string light = directory.file(kFile);
  open(light);
  DataDirectory full_directory;
  const std::string full = full_directory.file(kDatabaseName);
  REQUIRE(open_store(full, small_genesis(), small_disk()).has_value());
  CHECK(says(error_of_opening(full), "is not a database of a light member"));
  const auto opened = open_store(light, small_genesis(), small_disk());
  REQUIRE_FALSE(opened.has_value());
  CHECK(says(opened.error().message, "is not a database of EventChain"));

  chain::Genesis another = small_genesis();
  another.name = "another";
  const auto foreign = open_light_store(light, another, small_disk());
  REQUIRE_FALSE(foreign.has_value());
  CHECK(says(foreign.error().message, "another chain"));
  {
    SQLite::Database database(light, SQLite::OPEN_READWRITE);
    database.exec("PRAGMA user_version = 2");
  }
  CHECK(says(error_of_opening(light), "knows up to 1"));
}

TEST_CASE("damage of what a light store has of its tip is noticed at the start") {
  const std::vector<std::string> damages = {
      "UPDATE block SET sealed = (SELECT sealed FROM block WHERE height = 5) WHERE height = 6",
      "UPDATE block SET id = (SELECT id FROM block WHERE height = 5) WHERE height = 6",
      "UPDATE block SET annex = (SELECT annex FROM block WHERE height = 5) WHERE height = 6",
      "UPDATE below_tip SET history = x''",
      "DELETE FROM member_set WHERE height = 3",
      "UPDATE member_set SET hash = zeroblob(32) WHERE height = 3",
      "DELETE FROM block WHERE height = 6",
      "DELETE FROM block",
  };
  for (const std::string& damage : damages) {
    INFO(damage);
    DataDirectory directory;
    append(*open(directory.file(kFile)), RunMaker().next(6));
    {
      SQLite::Database database(directory.file(kFile), SQLite::OPEN_READWRITE);
      REQUIRE(database.exec(damage) > 0);
    }
    auto store = open(directory.file(kFile));
    store->turns().begin();
    CHECK_THROWS_AS(store->recover(), StoreFailure);
  }
}

}  // namespace eventchain::store::testing
