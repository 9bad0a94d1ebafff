#include "tools/eventchain/evidence_text.h"

#include <fmt/format.h>

#include "node/api/evidence_json.h"

namespace eventchain::tools {

namespace json = boost::json;

namespace {

json::array sentences(const std::vector<std::string>& from) {
  json::array list;
  for (const std::string& sentence : from) list.emplace_back(sentence);
  return list;
}

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
  std::string text;
  if (with_steps)
    for (const chain::ReceiptStep& step : report.steps)
      text += fmt::format("{:<11}  {:<19}  {}\n", to_string(step.state), step.name, step.text);
  if (const chain::ReceiptStep* failed = report.failed())
    return text + fmt::format("NO EVIDENCE: step {} failed: {}\n", failed->name, failed->text);
  text += "TWO HISTORIES\n";
  for (const std::string& sentence : report.proved) text += "  " + sentence + "\n";
  text += "not proved:\n";
  for (const std::string& sentence : report.not_proved) text += "  " + sentence + "\n";
  return text;
}

json::object evidence_json(const chain::EvidenceReport& report) {
  const chain::ReceiptStep* failed = report.failed();
  json::array steps;
  for (const chain::ReceiptStep& step : report.steps)
    steps.push_back(
        json::object{{"step", step.name}, {"state", to_string(step.state)}, {"text", step.text}});
  json::object made{{"proved", failed == nullptr}};
  if (failed != nullptr) made.emplace("failed_step", failed->name);
  made.emplace("steps", std::move(steps));
  if (report.facts) {
    const chain::EvidenceFacts& facts = *report.facts;
    made.emplace("facts", json::object{{"contradiction", to_string(facts.kind)},
                                       {"first", point_json(facts.first)},
                                       {"second", point_json(facts.second)},
                                       {"first_signers", sentences(facts.first_signers)},
                                       {"second_signers", sentences(facts.second_signers)},
                                       {"both", sentences(facts.both)}});
  }
  made.emplace("proves", sentences(report.proved));
  made.emplace("does_not_prove", sentences(report.not_proved));
  return made;
}

}  // namespace eventchain::tools
