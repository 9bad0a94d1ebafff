#include "tools/eventchain/work_proof_text.h"

#include <fmt/format.h>

#include "chain/text.h"
#include "node/api/work_proof_json.h"

namespace eventchain::tools {

namespace json = boost::json;

namespace {

json::array sentences(const std::vector<std::string>& from) {
  json::array list;
  for (const std::string& sentence : from) list.emplace_back(sentence);
  return list;
}

json::object facts_json(const chain::WorkFacts& facts) {
  return {{"head", std::to_string(facts.head.value)},
          {"head_id", to_hex(facts.head_id)},
          {"sealed_at", chain::rfc3339(facts.sealed_at)},
          {"signers", sentences(facts.signers)},
          {"voters", facts.voters},
          {"work_claimed", facts.claimed.to_decimal()},
          {"work_shown", facts.shown.to_decimal()},
          {"blocks_shown", facts.blocks},
          {"percent", chain::percent_of(facts.sampling.share)},
          {"bits", facts.sampling.bits},
          {"octaves", facts.plan.octaves},
          {"samples", facts.plan.samples()}};
}

}  // namespace

chain::WorkReport judge_work_proof(std::string_view text, const chain::WorkTrust& trust) {
  const auto proof = node::api::parse_work_proof(text);
  chain::WorkReport report;
  if (!proof) {
    report.steps.push_back({"format", chain::StepState::kFailed, proof.error().message});
    return report;
  }
  report = chain::verify_work_proof(*proof, trust);
  report.steps.insert(report.steps.begin(), {"format", chain::StepState::kPassed,
                                             "the file is a work proof as the format has it"});
  return report;
}

std::string work_verdict_text(const chain::WorkReport& report, bool with_steps) {
  std::string text;
  if (with_steps)
    for (const chain::ReceiptStep& step : report.steps)
      text += fmt::format("{:<11}  {:<16}  {}\n", to_string(step.state), step.name, step.text);
  if (const chain::ReceiptStep* failed = report.failed())
    return text + fmt::format("NOT PROVED: step {} failed: {}\n", failed->name, failed->text);
  text += report.is_proved() ? "PROVED\n" : "the work was NOT looked at; proved without it:\n";
  for (const std::string& sentence : report.proved) text += "  " + sentence + "\n";
  text += "not proved:\n";
  for (const std::string& sentence : report.not_proved) text += "  " + sentence + "\n";
  return text;
}

json::object work_verdict_json(const chain::WorkReport& report) {
  json::array steps;
  for (const chain::ReceiptStep& step : report.steps)
    steps.push_back(
        json::object{{"step", step.name}, {"state", to_string(step.state)}, {"text", step.text}});
  json::object made{{"proved", report.is_proved()}};
  if (const chain::ReceiptStep* failed = report.failed()) made.emplace("failed_step", failed->name);
  made.emplace("steps", std::move(steps));
  if (report.facts) made.emplace("facts", facts_json(*report.facts));
  made.emplace("proves", sentences(report.proved));
  made.emplace("does_not_prove", sentences(report.not_proved));
  return made;
}

}  // namespace eventchain::tools
