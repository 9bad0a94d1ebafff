#include "tools/eventchain/work_proof_text.h"

#include <utility>

#include "chain/text.h"
#include "node/api/work_proof_json.h"
#include "tools/eventchain/verdict.h"

namespace eventchain::tools {

namespace json = boost::json;

namespace {

json::object facts_json(const chain::WorkFacts& facts) {
  return {{"head", std::to_string(facts.head.value)},
          {"head_id", to_hex(facts.head_id)},
          {"sealed_at", chain::rfc3339(facts.sealed_at)},
          {"signers", sentences_json(facts.signers)},
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
  const Verdict verdict = verdict_of_report(report);
  const std::string steps = with_steps ? steps_text(verdict, 16) : "";
  if (verdict.failed != nullptr) return steps + failure_text("NOT PROVED", *verdict.failed);
  const char* heading =
      report.is_proved() ? "PROVED\n" : "the work was NOT looked at; proved without it:\n";
  return steps + heading + sentences_text(verdict);
}

json::object work_verdict_json(const chain::WorkReport& report) {
  json::value facts;
  if (report.facts) facts = facts_json(*report.facts);
  return verdict_json(verdict_of_report(report), report.is_proved(), std::move(facts));
}

}  // namespace eventchain::tools
