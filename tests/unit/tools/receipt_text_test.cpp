#include "tools/eventchain/receipt_text.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "node/genesis_json.h"
#include "text_of_file.h"
#include "tools/eventchain/checkpoint_file.h"

using namespace eventchain;
using namespace eventchain::tools;

namespace {

const std::filesystem::path kReceipts = EVENTCHAIN_TEST_DATA "/receipts";

chain::Genesis genesis() {
  auto read = node::load_genesis(kReceipts / "genesis.json");
  REQUIRE_MESSAGE(read.has_value(), read.error().message);
  return *read;
}

ReceiptVerdict judged(const std::string& file, bool with_checkpoint = false) {
  const chain::Genesis trusted = genesis();
  chain::ReceiptTrust trust{trusted, nullptr, std::nullopt};
  if (with_checkpoint) trust.known = read_checkpoint_file(kReceipts / "checkpoint.txt").value();
  return judge_receipt(text_of_file(kReceipts / file), trust);
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a verdict says what is proved and what not, and with its steps how that was found") {
  const ReceiptVerdict verdict = judged("event-newer.json");
  const std::string text = verdict_text(verdict, false);
  CHECK(text.starts_with("PROVED\n  What: the event with id 'order-17'"));
  CHECK(contains(text, "not proved:\n"));
  CHECK_FALSE(contains(text, "voters-6"));
  const std::string steps = verdict_text(verdict, true);
  CHECK(steps.starts_with("passed       format"));
  CHECK(contains(steps, "passed       voters-6"));
  CHECK(steps.ends_with(text));
  const boost::json::object told = verdict_json(verdict);
  CHECK(told.at("proved").as_bool());
  CHECK(told.at("facts").at("block").as_string() == "9");
  CHECK(told.at("facts").at("signers").as_array().size() == 2);
  CHECK(told.at("steps").as_array().size() == verdict.report.steps.size());
}

TEST_CASE("a verdict against names the step") {
  const chain::Genesis trusted = genesis();
  std::string text = text_of_file(kReceipts / "rejection.json");
  text.replace(text.find("key-conflict"), 12, "version-conflict");
  const ReceiptVerdict verdict = judge_receipt(text, {trusted, nullptr, std::nullopt});
  CHECK(verdict_text(verdict, false).starts_with("NOT PROVED: step rejection failed: "));
  CHECK(verdict_json(verdict).at("failed_step").as_string() == "rejection");
  const ReceiptVerdict no_receipt = judge_receipt("{}", {trusted, nullptr, std::nullopt});
  CHECK(verdict_text(no_receipt, true).starts_with("failed       format"));
  CHECK(
      contains(verdict_text(no_receipt, false), "step format failed: receipt: format is missing"));
}

TEST_CASE("what a receipt claims can be told without believing anything") {
  const auto claims = claims_of(text_of_file(kReceipts / "event-newer.json"));
  REQUIRE(claims.has_value());
  const auto claim = [&](std::string_view name) {
    for (const auto& one : *claims)
      if (one.first == name) return one.second;
    return std::string("no such claim");
  };
  CHECK(claim("id") == "order-17");
  CHECK(claim("position") == "16");
  CHECK(claim("signed_block") == "11");
  CHECK(claim("signed_by") == "n2, n4");
  CHECK(claim("changes_of_voters") == "3");
  CHECK_FALSE(claims_of("{}").has_value());
  for (const char* file : {"event.json", "event-without-body.json", "rejection.json"})
    CHECK(claims_of(text_of_file(kReceipts / file)).has_value());
}

TEST_CASE("a block's receipt is told as one") {
  CHECK(verdict_text(judged("block.json"), false)
            .starts_with("PROVED\n  What: block 5 of the chain"));
  CHECK(verdict_json(judged("block.json")).at("facts").at("kind").as_string() == "block");
  const auto claims = claims_of(text_of_file(kReceipts / "block.json"));
  REQUIRE(claims.has_value());
  CHECK(std::ranges::any_of(*claims, [](const auto& one) { return one.first == "block_id"; }));
  CHECK(std::ranges::none_of(*claims, [](const auto& one) { return one.first == "position"; }));
}

TEST_CASE("a checkpoint that nothing leads to is told, and one that agrees is used") {
  CHECK(judged("event-consistency.json", true).is_whole);
  const ReceiptVerdict verdict = judged("event.json", true);
  CHECK(verdict.report.is_proved());
  CHECK_FALSE(verdict.is_whole);
  CHECK(contains(verdict_text(verdict, false), "the checkpoint was NOT used"));
  CHECK(judged("event.json").is_whole);
}
