#include "tools/eventchain/evidence_text.h"

#include <utility>

#include "node/api/evidence_json.h"
#include "tools/eventchain/verdict.h"

namespace eventchain::tools {

namespace json = boost::json;

namespace {

json::object point_json(const chain::HistoryPoint& point) {
  json::object made;
  if (point.block) {
    made.emplace("height", std::to_string(point.block->height.value));
    made.emplace("block", to_hex(point.block->id));
  }
  made.emplace("log_size", std::to_string(point.log_size));
  made.emplace("log_root", to_hex(point.log_root));
  return made;
}

}  // namespace

chain::EvidenceReport judge_evidence(std::string_view text, const chain::Genesis& genesis,
                                     const chain::ShareDigest* digest) {
  chain::EvidenceReport report;
  const auto evidence = node::api::parse_evidence(text);
  if (!evidence) {
    report.steps.push_back({"format", chain::StepState::kFailed, evidence.error().message});
    return report;
  }
  report = chain::verify_evidence(*evidence, genesis, digest);
  report.steps.insert(report.steps.begin(), {"format", chain::StepState::kPassed,
                                             "the file is evidence as the format has it"});
  return report;
}

std::string evidence_text(const chain::EvidenceReport& report, bool with_steps) {
  const Verdict verdict = verdict_of_report(report);
  const std::string steps = with_steps ? steps_text(verdict, 19) : "";
  if (verdict.failed != nullptr) return steps + failure_text("NO EVIDENCE", *verdict.failed);
  return steps + "TWO HISTORIES\n" + sentences_text(verdict);
}

json::object evidence_json(const chain::EvidenceReport& report) {
  json::value told;
  if (report.facts) {
    const chain::EvidenceFacts& facts = *report.facts;
    json::value superseded;
    if (facts.second_superseded)
      superseded = json::object{{"since", std::to_string(facts.second_superseded->since.value)},
                                {"until", std::to_string(facts.second_superseded->until.value)}};
    told = json::object{{"contradiction", to_string(facts.kind)},
                        {"first", point_json(facts.first)},
                        {"second", point_json(facts.second)},
                        {"first_signers", sentences_json(facts.first_signers)},
                        {"second_signers", sentences_json(facts.second_signers)},
                        {"second_superseded", std::move(superseded)},
                        {"both", sentences_json(facts.both)}};
  }
  return verdict_json(verdict_of_report(report), report.is_proved(), std::move(told));
}

}  // namespace eventchain::tools
