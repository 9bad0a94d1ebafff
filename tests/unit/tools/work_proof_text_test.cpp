#include "tools/eventchain/work_proof_text.h"

#include <doctest/doctest.h>

#include "node/api/work_proof_json.h"
#include "tests/unit/worked_chain.h"

using namespace work_test;

namespace {

namespace tools = eventchain::tools;
namespace json = boost::json;

std::string proof_of(const WorkedChain& chain) {
  return eventchain::node::api::format_work_proof(chain.proof({WorkShare::kHalf, 2, 3})).value();
}

bool contains(const std::string& whole, std::string_view part) {
  return whole.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a work proof's verdict says what is proved and what not, to people and to programs") {
  WorkedChain chain(receipt_genesis());
  chain.grow(60);
  const WorkTrust trust{chain.genesis(), nullptr, {WorkShare::kHalf, 2, 1}};
  const WorkReport report = tools::judge_work_proof(proof_of(chain), trust);
  const std::string text = tools::work_verdict_text(report, true);
  CHECK(contains(text, "PROVED\n"));
  CHECK_FALSE(contains(text, "NOT PROVED"));
  CHECK(contains(text, "passed       format"));
  CHECK(contains(text, "at least 50 % of that were really done"));
  CHECK(contains(text, "not proved:\n"));
  CHECK_FALSE(contains(tools::work_verdict_text(report, false), "passed  "));
  const json::object told = tools::work_verdict_json(report);
  CHECK(told.at("proved").as_bool());
  CHECK_FALSE(told.contains("failed_step"));
  CHECK(told.at("facts").as_object().at("head").as_string() == "59");
  CHECK(told.at("facts").as_object().at("signers").as_array().size() == 2);
}

TEST_CASE("of a bad work proof the first step that fails is told, and nothing else") {
  WorkedChain chain(receipt_genesis());
  chain.grow(60);
  const WorkTrust trust{chain.genesis(), nullptr, {WorkShare::kNineTenths, 2, 1}};
  for (const auto& [file, step] :
       {std::pair<std::string, std::string>{"{}", "format"}, {proof_of(chain), "parameters"}}) {
    const WorkReport report = tools::judge_work_proof(file, trust);
    CHECK(contains(tools::work_verdict_text(report, false), "NOT PROVED: step " + step));
    const json::object told = tools::work_verdict_json(report);
    CHECK_FALSE(told.at("proved").as_bool());
    CHECK(std::string(told.at("failed_step").as_string()) == step);
    CHECK_FALSE(told.contains("facts"));
    CHECK(told.at("proves").as_array().empty());
  }
}

TEST_CASE("a work proof whose hashes were not computed is not called proved") {
  WorkedChain chain(receipt_genesis(WorkFunction::kRandomXV1));
  chain.grow(30);
  const WorkReport report = tools::judge_work_proof(
      proof_of(chain), {chain.genesis(), nullptr, {WorkShare::kHalf, 2, 1}});
  CHECK(report.failed() == nullptr);
  const std::string text = tools::work_verdict_text(report, false);
  CHECK(contains(text, "NOT looked at"));
  CHECK_FALSE(contains(text, "PROVED"));
  CHECK_FALSE(tools::work_verdict_json(report).at("proved").as_bool());
}
