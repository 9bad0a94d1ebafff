#include "tools/eventchain/verify.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>

#include "chain/rng.h"
#include "chain/rules.h"
#include "node/genesis_json.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/store_id_file.h"
#include "tests/unit/temporary_directory.h"
#include "tools/eventchain/chain_work.h"

using namespace eventchain;
using namespace eventchain::tools;

namespace {

chain::Genesis easy_genesis() {
  chain::Genesis genesis;
  genesis.name = "verified";
  genesis.trust_domain = "example.org";
  genesis.created = {1'700'000'000'000};
  genesis.share_count = 4;
  // One hash a share: mining costs nothing and is still checked.
  genesis.first_target = chain::compact(chain::target_for(chain::U256(1)));
  genesis.easiest_target = genesis.first_target;
  chain::Member voter;
  voter.node = chain::NodeId::from("0123456789abcdef").value();
  voter.signing_key.octets[0] = 2;  // 1 would be a point of small order
  voter.store.octets[0] = 1;
  voter.name = "alpha";
  genesis.voters = {voter};
  return genesis;
}

chain::HeldEvent event_of(int number, std::optional<int> expected = std::nullopt) {
  chain::Event event;
  event.set("id", "id-" + std::to_string(number));
  event.set("source", "urn:test");
  event.set("type", "tested");
  event.set("stream", "stream-" + std::to_string(number % 3));
  if (expected) event.set("expectedversion", std::int32_t{*expected});
  event.data_kind = chain::DataKind::kBinary;
  event.data = "data of event " + std::to_string(number);
  chain::Salt salt;
  salt.octets[0] = static_cast<std::uint8_t>(number);
  return chain::hold_event(salt, chain::encode_body(event), {}).value();
}

// Writes a chain that obeys every rule into a database of its own.
class SmallChain : chain::ChainView {
 public:
  explicit SmallChain(const std::string& database)
      : genesis_(easy_genesis()),
        state_(chain::initial_state(genesis_)),
        store_(open(database, genesis_)) {
    store_->chain().recover();
  }

  static std::unique_ptr<store::SqliteStore> open(const std::string& database,
                                                  const chain::Genesis& genesis) {
    const chain::StoreId id = genesis.voters[0].store;
    REQUIRE(store::write_store_id(std::filesystem::path(database).parent_path(), id));
    return store::open_store(database, genesis, id).value();
  }

  void add(const std::vector<chain::HeldEvent>& events,
           const std::vector<chain::HeldEvent>& rejected = {}) {
    store::BlockApplication application;
    chain::Template made;
    chain::ContentFacts facts;
    store_->turns().begin();
    for (const auto& event : events) {
      store_->chain().put_event(event);
      made.content.entries.push_back({event.facts.key, event.facts.commitment});
      facts.entries.push_back(event.facts);
    }
    for (const auto& event : rejected) {
      store_->chain().put_event(event);
      made.content.annex.emplace_back(chain::Rejection{event.facts.key, event.facts.commitment,
                                                       chain::RejectionReason::kExpectationExpired,
                                                       stream_version(event.facts.stream)});
      facts.rejections.push_back(event.facts);
    }
    fill_header(made);
    chain::Projection projection;
    const chain::Verdict verdict = chain::check_template(state_, *this, made, facts, &projection);
    REQUIRE(std::string(chain::to_string(verdict.rule)) == "ok");
    application.block = {{made.header, seal_of(made.header)}, made.content};
    application.id = chain::block_id(application.block.sealed);
    REQUIRE(chain::check_seal(state_, chain::Sha256Digest(), application.block.sealed).ok());
    application.first_position = projection.first_position;
    application.facts = facts.entries;
    application.versions = projection.versions;
    application.rejected = facts.rejections;
    application.tree_hashes = projection.tree_hashes;
    chain::Advanced advanced = chain::advance(state_, application.block.sealed,
                                              std::move(projection.log), projection.members);
    application.history_nodes = advanced.history_nodes;
    application.log_peaks = advanced.state.log.peaks();
    application.history_peaks = advanced.state.history.peaks();
    application.applied = consensus::LogIndex{state_.height().value + 1};
    store_->chain().apply_block(application);
    store_->turns().commit();
    for (const auto& event : events) {
      keys_.insert(event.facts.key);
      streams_[event.facts.stream] = stream_version(event.facts.stream).next();
    }
    state_ = std::move(advanced.state);
  }

  [[nodiscard]] const chain::ChainState& state() const { return state_; }

 private:
  bool is_placed(const chain::EventKey& key) override { return keys_.contains(key); }
  chain::StreamVersion stream_version(const chain::StreamKey& stream) override {
    const auto found = streams_.find(stream);
    return found == streams_.end() ? chain::kEmptyStream : found->second;
  }

  void fill_header(chain::Template& made) {
    chain::LogTree log = state_.log;
    for (const auto& entry : made.content.entries) log.append(chain::log_leaf(entry.commitment));
    chain::TemplateHeader& header = made.header;
    header.chain = state_.chain;
    header.height = state_.height().next();
    header.parent = state_.tip;
    header.log_size = log.size();
    header.log_root = log.root();
    header.history_root = state_.history.root();
    header.annex_root = chain::annex_root(made.content.annex);
    header.started = state_.tip_header.seal.sealed_at;
    header.time = header.started;
    header.share_target =
        chain::required_target(genesis_, state_.tip_header, header.started, header.time);
    header.share_count = genesis_.share_count;
    header.member_set = state_.member_set;
  }

  chain::Seal seal_of(const chain::TemplateHeader& header) {
    chain::Seal seal;
    seal.sealed_at = {header.time.value + genesis_.interval_ms};
    for (std::uint64_t counter = 0; seal.shares.size() < genesis_.share_count; ++counter) {
      const chain::Nonce nonce{chain::nonce_high(chain::Slot{0}, 0, counter), 0};
      if (chain::check_share(state_, chain::Sha256Digest(), header, nonce).ok())
        seal.shares.push_back(nonce);
    }
    return seal;
  }

  chain::Genesis genesis_;
  chain::ChainState state_;
  std::unique_ptr<store::SqliteStore> store_;
  std::set<chain::EventKey> keys_;
  std::map<chain::StreamKey, chain::StreamVersion> streams_;
};

// Blocks of 5 events, 10 in all, one event refused.
struct Written {
  TemporaryDirectory scratch;
  std::string database = (scratch.path() / "chain.db").string();
  chain::BlockId tip;

  enum class Reach { kAll, kTwoBlocks };
  explicit Written(Reach reach = Reach::kAll) {
    SmallChain made(database);
    int number = 0;
    for (int block = 0; block < 2; ++block) {
      std::vector<chain::HeldEvent> events;
      for (int i = 0; i < 5; ++i) events.push_back(event_of(number++));
      made.add(events);
    }
    if (reach == Reach::kAll) made.add({}, {event_of(77, 5)});
    tip = made.state().tip;
  }

  void change(const std::string& sql) {
    SQLite::Database database_file(database, SQLite::OPEN_READWRITE);
    REQUIRE(database_file.exec(sql) == 1);
  }

  VerifyReport verify(unsigned threads = 1) {
    VerifyOptions options;
    options.database = database;
    options.genesis = easy_genesis();
    options.threads = threads;
    auto report = verify_chain(options);
    INFO((report ? "" : report.error().message));
    REQUIRE(report.has_value());
    return *report;
  }

  std::string blob(const std::string& sql) {
    SQLite::Database database_file(database, SQLite::OPEN_READONLY);
    SQLite::Statement select(database_file, sql);
    REQUIRE(select.executeStep());
    return select.getColumn(0).getString();
  }

  void set_blob(const std::string& sql, const std::string& value) {
    SQLite::Database database_file(database, SQLite::OPEN_READWRITE);
    SQLite::Statement update(database_file, sql);
    update.bind(1, value.data(), static_cast<int>(value.size()));
    REQUIRE(update.exec() == 1);
  }
};

std::string texts(const VerifyReport& report) {
  std::string all;
  for (const Finding& finding : report.findings.kept())
    all += finding.thing + " " + std::to_string(finding.place) + ": " + finding.text + "\n";
  return all;
}

}  // namespace

TEST_CASE("a chain that nobody touched verifies, with any number of threads") {
  Written written;
  for (const unsigned threads : {1U, 3U}) {
    const VerifyReport report = written.verify(threads);
    INFO(texts(report));
    CHECK(report.findings.total() == 0);
    CHECK(report.events == 10);
    CHECK(report.rejected == 1);
    CHECK(report.blocks == 4);
    CHECK(report.tip == written.tip);
  }
}

// An octet of the stream's name also shows as wrong stream versions behind it, so more may follow.
TEST_CASE("a changed octet anywhere in a body or salt is found, and its event is named first") {
  Written written;
  chain::Rng rng(7);
  for (int arrival = 1; arrival <= 10; ++arrival) {
    for (const std::string column : {"body", "salt"}) {
      const std::string where = " WHERE arrival = " + std::to_string(arrival);
      const std::string good = written.blob("SELECT " + column + " FROM event" + where);
      std::string bad = good;
      const std::size_t at = rng.below(bad.size());
      bad[at] = static_cast<char>(bad[at] ^ (1 << rng.below(8)));
      written.set_blob("UPDATE event SET " + column + " = ?" + where, bad);
      const VerifyReport report = written.verify();
      INFO("arrival " << arrival << " " << column << " octet " << at << "\n" << texts(report));
      REQUIRE(report.findings.total() >= 1);
      CHECK(report.findings.kept()[0].thing == "event");
      CHECK(report.findings.kept()[0].place == static_cast<std::uint64_t>(arrival - 1));
      written.set_blob("UPDATE event SET " + column + " = ?" + where, good);
    }
  }
  CHECK(written.verify().findings.total() == 0);
}

TEST_CASE("a finding tells source and id as long as they can be read") {
  Written written;
  const std::string good = written.blob("SELECT body FROM event WHERE arrival = 4");
  std::string bad = good;
  bad.back() = 'X';
  written.set_blob("UPDATE event SET body = ? WHERE arrival = 4", bad);
  CHECK(texts(written.verify()).find("source=urn:test id=id-3") != std::string::npos);
}

TEST_CASE("any octet of a stored block that changes is found") {
  Written written;
  for (const std::string column : {"sealed", "content", "id"}) {
    const std::string good = written.blob("SELECT " + column + " FROM block WHERE height = 2");
    for (std::size_t at = 0; at < good.size(); ++at) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 1);
      written.set_blob("UPDATE block SET " + column + " = ? WHERE height = 2", bad);
      INFO(column << " octet " << at);
      REQUIRE(written.verify().findings.total() > 0);
    }
    written.set_blob("UPDATE block SET " + column + " = ? WHERE height = 2", good);
  }
  CHECK(written.verify().findings.total() == 0);
}

TEST_CASE("what was removed, moved or added is found") {
  const std::pair<const char*, const char*> changes[] = {
      {"DELETE FROM event WHERE arrival = 3", "event 2: "},
      {"DELETE FROM placement WHERE arrival = 10", "event 9: "},
      {"DELETE FROM block WHERE height = 2", "block 2: the blocks from here to 2 are missing"},
      {"DELETE FROM block WHERE height = 3", "no block rejects them"},
      {"UPDATE placement SET version = version + 1 WHERE arrival = 1", "event 0: "},
      {"UPDATE placement SET height = 2 WHERE arrival = 1", "event 0: "},
      {"UPDATE placement SET position = 99 WHERE arrival = 1", "event 0: "},
      {"UPDATE placement SET position = 1 WHERE arrival = 1", "taken"},
      {"UPDATE block SET first_position = 6 WHERE height = 2", "block 2: "},
      {"UPDATE event SET salt = zeroblob(31) WHERE arrival = 2", "event 1: "},
      {"DELETE FROM event WHERE arrival = 11", "block 3: the rejected event"},
      // Behind all numbers.
      {"INSERT INTO signature VALUES ('junk', 0, zeroblob(64))",
       "1 signatures are on blocks that are not there"},
  };
  for (const auto& change : changes) {
    const std::string sql = change.first;
    const std::string expected = change.second;
    Written written;
    written.change(sql);
    const VerifyReport report = written.verify();
    INFO(sql << "\n" << texts(report));
    CHECK(report.findings.total() > 0);
    CHECK(texts(report).find(expected) != std::string::npos);
  }
}

TEST_CASE("a chain cut back to an earlier block is told by a block id noted elsewhere") {
  const Written whole;
  Written written(Written::Reach::kTwoBlocks);
  CHECK(written.verify().findings.total() == 0);
  VerifyOptions options;
  options.database = written.database;
  options.genesis = easy_genesis();
  options.known_blocks = {whole.tip};
  const auto report = verify_chain(options);
  REQUIRE(report.has_value());
  CHECK(texts(*report).find(to_hex(whole.tip)) != std::string::npos);
}

TEST_CASE("a database of another chain is refused before anything is read") {
  Written written;
  VerifyOptions options;
  options.database = written.database;
  options.genesis = easy_genesis();
  options.genesis.name = "another";
  CHECK_FALSE(verify_chain(options).has_value());
  options.database += ".absent";
  CHECK_FALSE(verify_chain(options).has_value());
}

TEST_CASE("the work of a stopped node's blocks is counted from its database") {
  Written written;
  const auto genesis = written.scratch.path() / "genesis.json";
  std::ofstream(genesis) << node::format_genesis(easy_genesis());
  const auto work = count_stored_work(written.database, genesis.string(), 2);
  INFO((work ? "" : work.error().message));
  REQUIRE(work.has_value());
  CHECK(work->terms.work_function == "sha256");
  CHECK(work->since == 2);
  CHECK(work->tip == 3);
  // Four shares of one hash each, in both of the blocks.
  CHECK(work->hashes == chain::U256(8));
  CHECK(work->recent.shares == 12);
  CHECK(work->recent.seconds == doctest::Approx(30));
  CHECK(database_in(written.scratch.path()) == written.database);

  written.change("UPDATE block SET sealed = x'00' WHERE height = 1");
  const auto damaged = count_stored_work(written.database, genesis.string(), 2);
  REQUIRE_FALSE(damaged.has_value());
  CHECK(damaged.error().code == chain::ErrorCode::kCorrupt);
}
