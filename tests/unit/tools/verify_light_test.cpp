#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

#include "chain/keys.h"
#include "chain/rules.h"
#include "store/sqlite/sqlite_light_store.h"
#include "store/sqlite/store_id_file.h"
#include "tests/unit/endless_tree.h"
#include "tests/unit/temporary_directory.h"
#include "tools/eventchain/verify.h"
#include "tools/eventchain/verify_text.h"

using namespace eventchain;
using namespace eventchain::tools;

namespace {

// RFC 8032, section 7.1, test 1.
constexpr const char* kPem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

std::unique_ptr<chain::Ed25519> voters_key() {
  return std::move(*chain::Ed25519::from_pem(kPem));
}

chain::Genesis one_voter() {
  chain::Genesis genesis;
  genesis.name = "light";
  genesis.trust_domain = "example.org";
  genesis.created = {1'700'000'000'000};
  genesis.share_count = 2;
  // One hash a share: mining costs nothing and is still checked.
  genesis.first_target = chain::compact(chain::target_for(chain::U256(1)));
  genesis.easiest_target = genesis.first_target;
  chain::Member voter;
  voter.node = chain::NodeId::from("0123456789abcdef").value();
  voter.signing_key = voters_key()->public_key();
  voter.store.octets[0] = 1;
  voter.name = "alpha";
  genesis.voters = {voter};
  return genesis;
}

// A block without events on top of `state`, with these orders; signed by the only voter.
store::LightRun next_run(chain::HeaderState& state, std::vector<chain::AnnexItem> annex) {
  chain::TemplateHeader header;
  header.chain = state.chain;
  header.height = state.height().next();
  header.parent = state.tip;
  header.log_size = state.tip_header.header.log_size;
  header.log_root = state.tip_header.header.log_root;
  header.history_root = state.history.root();
  header.annex_root = chain::annex_root(annex);
  header.started = state.tip_header.seal.sealed_at;
  header.time = header.started;
  header.share_target =
      chain::required_target(state.genesis, state.tip_header, header.started, header.time);
  header.share_count = state.genesis.share_count;
  header.member_set = state.member_set;
  chain::SealedHeader sealed{header, {}};
  sealed.seal.sealed_at = {header.time.value + state.genesis.interval_ms};
  for (std::uint64_t counter = 0; sealed.seal.shares.size() < header.share_count; ++counter) {
    const chain::Nonce nonce{chain::nonce_high(chain::Slot{0}, 0, counter), 0};
    if (chain::check_share(state, chain::Sha256Digest(), header, nonce).ok())
      sealed.seal.shares.push_back(nonce);
  }
  chain::MembersRef after;
  REQUIRE(chain::check_annex(state, header, annex, &after).ok());
  store::LightRun run;
  run.history_before = state.history.peaks();
  const bool changes_members = after != state.members;
  chain::advance_headers(state, sealed, after);
  run.items.push_back({{sealed, std::move(annex)}, state.tip, changes_members ? after : nullptr});
  const auto key = voters_key();
  run.certificate = {
      {chain::Slot{0}, key->sign(chain::certified_statement(header, chain::block_id(sealed)))}};
  return run;
}

chain::AnnexItem policy_order(std::uint32_t grace_ms) {
  chain::SetVoterPolicy order;
  order.policy = {3, grace_ms};
  return chain::MemberOrder{"ann", order};
}

// Four blocks, the second and the last of which change the members.
struct Written {
  TemporaryDirectory scratch;
  std::string database = (scratch.path() / "light.db").string();
  chain::HeaderState state = chain::initial_header_state(one_voter());

  Written() {
    const chain::Genesis genesis = one_voter();
    REQUIRE(store::write_store_id(scratch.path(), genesis.voters[0].store));
    auto opened = store::open_light_store(database, genesis, genesis.voters[0].store);
    REQUIRE(opened.has_value());
    for (std::uint32_t height = 1; height <= 4; ++height) {
      std::vector<chain::AnnexItem> annex;
      if (height % 2 == 0) annex.push_back(policy_order(1000 * height));
      (*opened)->turns().begin();
      (*opened)->append(next_run(state, std::move(annex)));
      (*opened)->turns().commit();
    }
  }

  void change(const std::string& sql) {
    SQLite::Database file(database, SQLite::OPEN_READWRITE);
    REQUIRE(file.exec(sql) >= 1);
  }

  VerifyReport verify(std::vector<chain::BlockId> known = {}) {
    VerifyOptions options;
    options.database = database;
    options.genesis = one_voter();
    options.known_blocks = std::move(known);
    auto report = verify_chain(options);
    INFO((report ? "" : report.error().message));
    REQUIRE(report.has_value());
    return *report;
  }

  std::string blob(const std::string& sql) {
    SQLite::Database file(database, SQLite::OPEN_READONLY);
    SQLite::Statement select(file, sql);
    REQUIRE(select.executeStep());
    return select.getColumn(0).getString();
  }

  void set_blob(const std::string& sql, const std::string& value) {
    SQLite::Database file(database, SQLite::OPEN_READWRITE);
    SQLite::Statement update(file, sql);
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

TEST_CASE("what a light member keeps verifies if nobody touched it") {
  Written written;
  const VerifyReport report = written.verify({written.state.tip});
  INFO(texts(report));
  CHECK(report.findings.total() == 0);
  CHECK(report.headers_only);
  CHECK(report.blocks == 5);
  CHECK(report.signatures == 1);
  CHECK(report.tip == written.state.tip);
  CHECK(report.work == written.state.history.total_work());
}

TEST_CASE("any octet of what a light member keeps that changes is found") {
  Written written;
  const std::pair<const char*, const char*> columns[] = {
      {"block", "sealed"},       {"block", "annex"},        {"block", "id"},
      {"member_set", "hash"},    {"member_set", "encoded"}, {"below_tip", "history"},
      {"signature", "signature"}};
  for (const auto& column : columns) {
    const std::string table = column.first;
    const std::string name = column.second;
    const bool has_height = table == "block" || table == "member_set";
    for (const int height : {0, 2, 4}) {
      const std::string where = has_height ? " WHERE height = " + std::to_string(height) : "";
      const std::string good = written.blob("SELECT " + name + " FROM " + table + where);
      const std::string update = "UPDATE " + table + " SET " + name + " = ?" + where;
      for (std::size_t at = 0; at < good.size(); ++at) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 1);
        written.set_blob(update, bad);
        INFO(table << "." << name << " at height " << height << ", octet " << at);
        REQUIRE(written.verify().findings.total() > 0);
      }
      written.set_blob(update, good);
      if (!has_height) break;
    }
  }
  CHECK(written.verify().findings.total() == 0);
}

TEST_CASE("what was removed or added in a light member's database is found") {
  const std::pair<const char*, const char*> changes[] = {
      {"DELETE FROM block WHERE height = 2", "block 2: the blocks from here to 2 are missing"},
      {"DELETE FROM block WHERE height = 4", "block 3: 1 of the 1 signatures"},
      {"DELETE FROM signature", "its 0 sound signatures are no certificate"},
      {"UPDATE signature SET slot = 7", "block 4: 1 of the 1 signatures"},
      {"UPDATE signature SET slot = 65536", "no member has slot 65536"},
      {"INSERT INTO signature VALUES (3, zeroblob(64))", "block 4: 1 of the 2 signatures"},
      {"DELETE FROM member_set WHERE height = 2", "block 2: the member set that it makes"},
      {"INSERT INTO member_set SELECT 3, hash, encoded FROM member_set WHERE height = 2",
       "block 3: a member set is stored with it that no block made"},
      {"UPDATE member_set SET height = 3 WHERE height = 2", "that no block made"},
      {"DELETE FROM below_tip", "the history stored below it"},
  };
  for (const auto& change : changes) {
    const std::string sql = change.first;
    const std::string expected = change.second;
    Written written;
    written.change(sql);
    const std::string found = texts(written.verify());
    INFO(sql << "\n" << found);
    CHECK(found.find(expected) != std::string::npos);
  }
}

TEST_CASE("a light member's chain without a block noted elsewhere is told") {
  Written written;
  chain::BlockId noted = written.state.tip;
  noted.octets[3] ^= 1;
  CHECK(texts(written.verify({noted})).find(to_hex(noted)) != std::string::npos);
}

TEST_CASE("a tree of a light member's database that has no end ends the verification") {
  for (const char* name : {"block", "member_set", "signature"}) {
    INFO(std::string(name));
    Written written;
    endless::File(written.database).make(name);
    CHECK(written.verify().findings.total() > 0);
  }
}

TEST_CASE("the verdict on a light member's database says that bodies were not verified") {
  Written written;
  const VerifyReport report = written.verify();
  CHECK(exit_of(report) == Exit::kOk);
  const std::string verdict = verdict_of(report).front();
  CHECK(verdict.find("NOT verified: events and bodies") != std::string::npos);
  CHECK(verdict.find("everything") == std::string::npos);
}

TEST_CASE("a light member's database in a full node's place is no verified chain") {
  Written written;
  const auto place = written.scratch.path() / "chain.db";
  std::filesystem::rename(written.database, place);
  written.database = place.string();
  const VerifyReport report = written.verify();
  CHECK(texts(report).find("stands where a full node has its own") != std::string::npos);
  CHECK(exit_of(report) == Exit::kTampered);
}
