#include "tools/eventchain/rewrite_cost.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "tests/unit/tools/text_of_file.h"
#include "tools/eventchain/chain_work.h"
#include "tools/eventchain/cost_report.h"
#include "tools/eventchain/json_text.h"

using namespace eventchain;
using namespace eventchain::tools;
using doctest::Approx;

namespace {

namespace json = boost::json;

constexpr std::int64_t kBegun = 1'700'000'000'000;

// Two shares of 2^20 hashes a block; 10 s of work and 30 s of rest for each.
chain::SealedHeader block_at(std::uint64_t height) {
  chain::SealedHeader block;
  block.header.height = chain::Height{height};
  block.header.share_count = 2;
  block.header.share_target = chain::compact(chain::target_for(chain::U256(1 << 20)));
  const auto begun = kBegun + static_cast<std::int64_t>(height) * 40'000;
  block.header.started = block.header.time = chain::UnixMillis{begun + 30'000};
  block.seal.sealed_at = chain::UnixMillis{begun + 40'000};
  return block;
}

WorkTerms terms_of(const std::string& work_function) {
  return {"example", work_function, 2, chain::U256(1 << 10)};
}

ChainWork chain_of(std::uint64_t tip, std::uint64_t since,
                   const std::string& work_function = "sha256") {
  WorkCount count(terms_of(work_function), since);
  for (std::uint64_t height = WorkCount::begin_with(since, tip); height <= tip; ++height)
    count.add(block_at(height));
  auto made = count.finish();
  REQUIRE(made.has_value());
  return *made;
}

// Work that is easy to divide: 3.6e15 hashes against a chain that grows by 1e9 a second.
CostQuestion round_question() {
  CostQuestion question;
  question.chain.terms = terms_of("sha256");
  question.chain.since = 1'001;
  question.chain.tip = 2'000;
  question.chain.blocks = 1'000;
  question.chain.hashes = chain::U256(3'600'000'000'000'000);
  question.chain.at_floor = chain::U256(2'048'000);
  question.chain.begun = {kBegun};
  question.chain.sealed = {kBegun + 3'600'000};
  question.chain.recent.blocks = 100;
  question.chain.recent.shares = 1'600;
  question.chain.recent.seconds = 500;
  question.chain.recent_seconds = 1'000;
  question.given_rate = 2e9;
  return question;
}

Adversary someone(double rate, Adversary::Pays pays = Adversary::Pays::kNotKnown) {
  Adversary who;
  who.name = "someone";
  who.hashes_per_second = rate;
  who.watts = 1'000;
  who.gpus = 4;
  who.pays = pays;
  return who;
}

Race race_with(CostQuestion question, Adversary who) {
  question.others = {std::move(who)};
  return rewrite_cost(std::move(question)).races.back();
}

const Race& find_race(const RewriteCost& cost, const std::string& name) {
  const auto found = std::find_if(cost.races.begin(), cost.races.end(),
                                  [&](const Race& race) { return race.who.name == name; });
  REQUIRE_MESSAGE(found != cost.races.end(), name);
  return *found;
}

}  // namespace

TEST_CASE("the work from a height on is that of its blocks, and the rate that of the newest") {
  const ChainWork work = chain_of(150, 141);
  CHECK(work.since == 141);
  CHECK(work.tip == 150);
  CHECK(work.blocks == 10);
  CHECK(work.hashes.to_double() == Approx(10.0 * 2 * (1 << 20)).epsilon(1e-6));
  CHECK(work.at_floor == chain::U256(10 * 2 * (1 << 10)));
  CHECK(work.begun == block_at(141).header.started);
  CHECK(work.sealed == block_at(150).seal.sealed_at);
  // A hundred blocks, each from the seal before it to its own.
  CHECK(work.recent.blocks == 100);
  CHECK(work.recent.seconds == Approx(1'000));
  CHECK(work.recent_seconds == Approx(4'000));

  const ChainWork young = chain_of(3, 2);
  CHECK(young.blocks == 2);
  CHECK(young.recent.blocks == 3);
  // The first block's rest before its work is nobody's.
  CHECK(young.recent_seconds == Approx(90));
  CHECK(chain_of(150, 1).blocks == 150);
}

TEST_CASE("from a height that the chain has not reached there is nothing to redo") {
  WorkCount count(terms_of("sha256"), 10);
  for (std::uint64_t height = 1; height < 10; ++height) count.add(block_at(height));
  const auto made = count.finish();
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().code == chain::ErrorCode::kNotFound);
  CHECK(made.error().message.find("its tip is 9") != std::string::npos);
}

TEST_CASE("alone it takes the work, against others also what comes on top") {
  // It mines half of the time: 1e9 a second come on top.
  Race race = race_with(round_question(), someone(4e9));
  CHECK(race.alone_seconds == Approx(900'000));
  REQUIRE(race.overtake_seconds.has_value());
  CHECK(*race.overtake_seconds == Approx(1'200'000));
  CHECK(race.kwh == Approx(250));
  CHECK_FALSE(race.money.has_value());

  // As fast as the chain grows, or slower: never.
  CHECK_FALSE(race_with(round_question(), someone(1e9)).overtake_seconds.has_value());
  CHECK(race_with(round_question(), someone(1.001e9)).overtake_seconds.has_value());
  // Slower than it mines, yet faster than it grows: the pauses are what lets him catch up.
  CHECK(race_with(round_question(), someone(1.5e9)).overtake_seconds == Approx(7'200'000));
}

TEST_CASE("who pays, and for what") {
  const CostQuestion question = round_question();
  CHECK(race_with(question, someone(4e9, Adversary::Pays::kEnergy)).money == Approx(250 * 0.20));
  CHECK(race_with(question, someone(4e9, Adversary::Pays::kGpuHours)).money ==
        Approx(4 * 250 * 0.50));
  CHECK(race_with(question, someone(4e9, Adversary::Pays::kGpuHours)).overtake_money ==
        Approx(4 * (1'200'000.0 / 3'600) * 0.50));
  CHECK_FALSE(race_with(question, someone(4e9, Adversary::Pays::kOwner)).money.has_value());
  CostQuestion dear = question;
  dear.prices = {1, 10};
  CHECK(race_with(dear, someone(4e9, Adversary::Pays::kEnergy)).money == Approx(250));
  CHECK(race_with(dear, someone(4e9, Adversary::Pays::kGpuHours)).money == Approx(10'000));
}

TEST_CASE("the cluster's own hosts have nobody to overtake, and more than they lend") {
  CostQuestion question = round_question();
  question.lent_part = 0.1;
  const RewriteCost cost = rewrite_cost(question);
  const Race& lent = find_race(cost, "this cluster as it mines");
  CHECK(lent.who.hashes_per_second == Approx(2e9));
  CHECK(lent.overtake_seconds == lent.alone_seconds);
  const Race& all = find_race(cost, "this cluster at 100 %");
  CHECK(all.who.hashes_per_second == Approx(2e10));
  CHECK_FALSE(all.money.has_value());
}

TEST_CASE("a rate that is not sure makes it not sure who can overtake") {
  CostQuestion question = round_question();
  question.given_rate.reset();
  // A hundred shares of 1e10 hashes in 500 s: 2e9, somewhere from 1.63e9 to 2.43e9.
  question.chain.recent = {};
  question.chain.recent.add({1e10, 500}, 100);
  const Race race = race_with(question, someone(0.9e9));
  CHECK_FALSE(race.overtake_seconds.has_value());
  CHECK(race.overtake_seconds_low.has_value());
  const std::string text = cost_text(rewrite_cost(question));
  CHECK(text.find("2 GH/s (1.63 GH/s to 2.43 GH/s, 95 %)") != std::string::npos);
}

TEST_CASE("without a rate nobody can tell who overtakes, and what is asked is said") {
  CostQuestion question = round_question();
  question.given_rate.reset();
  question.chain.recent = {};
  question.others = {someone(4e9)};
  const RewriteCost cost = rewrite_cost(question);
  CHECK_FALSE(cost.races.back().overtake_seconds.has_value());
  CHECK(cost_text(cost).find("--rate says it") != std::string::npos);
  for (const Race& race : cost.races) CHECK_FALSE(race.who.is_insider);
  const json::value told = cost_json(cost);
  CHECK_FALSE(told.at("cluster").as_object().contains("per_second"));
  CHECK_FALSE(told.at("adversaries").as_array().back().as_object().contains("overtake_seconds"));
}

TEST_CASE("each work function has adversaries of its own") {
  const auto names = [](const std::string& work_function) {
    std::string all;
    for (const Adversary& one : named_adversaries({work_function, 1e6, 0.5, {}}))
      all += one.name + "\n";
    return all;
  };
  CHECK(names("sha256").find("S21, if it fitted") != std::string::npos);
  CHECK(names("randomx-v1").find("X5") != std::string::npos);
  CHECK(names("randomx-v1").find("S21") == std::string::npos);
  CHECK(names("none").empty());
  CHECK(names("unheard-of") == "this cluster as it mines\nthis cluster at 100 %\n");
  for (const char* work_function : {"sha256", "randomx-v1", "unheard-of"})
    for (const Adversary& one : named_adversaries({work_function, 1e6, 0.5, {}})) {
      INFO(one.name);
      CHECK(one.hashes_per_second > 0);
      CHECK(one.rests_on.size() > 20);
    }
  const auto measured = named_adversaries({"sha256", 1e6, 0.5, 77.0});
  CHECK(measured.front().hashes_per_second == 77);
  CHECK(measured.front().rests_on.find("measured now") != std::string::npos);
}

TEST_CASE("a chain whose work function is none has nothing to redo, and says so") {
  CostQuestion question = round_question();
  question.chain.terms = terms_of("none");
  const RewriteCost cost = rewrite_cost(question);
  CHECK(cost.races.empty());
  const std::string text = cost_text(cost);
  CHECK(text.find("costs nothing") != std::string::npos);
  CHECK(text.find("keys of a majority of voters") != std::string::npos);
  const json::value told = cost_json(cost);
  CHECK(told.at("work").as_string() == "0");
  CHECK(told.at("adversaries").as_array().empty());
}

TEST_CASE("an unknown work function is named, and who is given is reckoned with") {
  CostQuestion question = round_question();
  question.chain.terms = terms_of("unheard-of");
  question.others = {someone(4e9)};
  const RewriteCost cost = rewrite_cost(question);
  CHECK(cost_text(cost).find("machines for the work function unheard-of") != std::string::npos);
  CHECK(find_race(cost, "someone").alone_seconds == Approx(900'000));
  CHECK(find_race(cost, "this cluster as it mines").kwh == std::nullopt);
}

TEST_CASE("the table for people reads as it is written in the data") {
  CostQuestion question = round_question();
  question.others = {someone(4e9)};
  question.others.back().rests_on = "as given";
  const std::string text = cost_text(rewrite_cost(std::move(question)));
  INFO(text);
  CHECK(text == text_of_file(EVENTCHAIN_TEST_DATA "/chain_cost.txt"));
}

TEST_CASE("programs get the same as numbers, and null for never") {
  CostQuestion question = round_question();
  question.others = {someone(4e9), someone(1e8)};
  const json::value told = cost_json(rewrite_cost(std::move(question)));
  CHECK(told.at("work").as_string() == "3600000000000000");
  CHECK(told.at("work_at_floor").as_string() == "2048000");
  CHECK(told.at("cluster").at("per_second").to_number<double>() == 2e9);
  CHECK(told.at("cluster").at("busy_part").to_number<double>() == 0.5);
  CHECK(told.at("does_not_protect_from").as_array().size() == 5);
  const json::array& all = told.at("adversaries").as_array();
  CHECK(all.at(all.size() - 2).at("overtake_seconds").to_number<double>() == Approx(1'200'000));
  CHECK(all.back().at("overtake_seconds").is_null());
}

TEST_CASE("headers of the API are read as far as work goes, and false ones are named") {
  const json::value good = {{"height", "7"},
                            {"share_count", 16},
                            {"share_target", "1cffff00"},
                            {"started", "2025-01-31T12:00:00.000Z"},
                            {"time", "2025-01-31T12:00:01.000Z"},
                            {"sealed_at", "2025-01-31T12:00:11.250Z"}};
  const auto read = read_work_header(good);
  REQUIRE(read.has_value());
  CHECK(read->header.height == chain::Height{7});
  CHECK(chain::mining_facts(*read).seconds == Approx(10.25));
  CHECK(chain::block_work(read->header) == chain::U256(16 * 0x100010001ULL));
  for (const char* member :
       {"height", "share_count", "share_target", "started", "time", "sealed_at"}) {
    json::value bad = good;
    bad.as_object()[member] = "never";
    INFO(member);
    CHECK_FALSE(read_work_header(bad).has_value());
  }
}

TEST_CASE("what genesis says of work must be whole") {
  const json::value good = {{"name", "example"},
                            {"work_function", "sha256"},
                            {"share_count", 16},
                            {"easiest_target", "1cffff00"}};
  const auto terms = read_work_terms(good);
  REQUIRE(terms.has_value());
  CHECK(terms->easiest_each == chain::U256(0x100010001ULL));
  for (const char* member : {"work_function", "share_count", "easiest_target"}) {
    json::value bad = good;
    bad.as_object().erase(member);
    INFO(member);
    CHECK_FALSE(read_work_terms(bad).has_value());
  }
}

TEST_CASE("rates and durations have three digits and a unit that people know") {
  CHECK(rate_text(999) == "999 H/s");
  CHECK(rate_text(999.6) == "1 kH/s");
  CHECK(rate_text(21.975e9) == "22 GH/s");
  CHECK(rate_text(2e19) == "2e+04 PH/s");
  CHECK(duration_text(0) == "0 s");
  CHECK(duration_text(90) == "90 s");
  CHECK(duration_text(600) == "10 min");
  CHECK(duration_text(36'000) == "10 h");
  CHECK(duration_text(864'000) == "10 days");
  CHECK(duration_text(10 * 365.25 * 86'400) == "10 years");
  CHECK(duration_text(1e20) == "3.17e+12 years");
}
