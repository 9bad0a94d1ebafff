#include "tools/eventchain/verdict.h"

#include <fmt/format.h>

#include <utility>

namespace eventchain::tools {

namespace json = boost::json;

std::string steps_text(const Verdict& verdict, std::size_t name_width) {
  std::string text;
  for (const chain::ReceiptStep& step : verdict.steps)
    text += fmt::format("{:<11}  {:<{}}  {}\n", to_string(step.state), step.name, name_width,
                        step.text);
  return text;
}

std::string failure_text(const std::string& heading, const chain::ReceiptStep& failed) {
  return fmt::format("{}: step {} failed: {}\n", heading, failed.name, failed.text);
}

std::string sentences_text(const Verdict& verdict) {
  std::string text;
  for (const std::string& sentence : verdict.proved) text += "  " + sentence + "\n";
  text += "not proved:\n";
  for (const std::string& sentence : verdict.not_proved) text += "  " + sentence + "\n";
  return text;
}

json::array sentences_json(const std::vector<std::string>& sentences) {
  json::array list;
  for (const std::string& sentence : sentences) list.emplace_back(sentence);
  return list;
}

json::object verdict_json(const Verdict& verdict, bool is_proved, json::value facts) {
  json::array steps;
  for (const chain::ReceiptStep& step : verdict.steps)
    steps.push_back(
        json::object{{"step", step.name}, {"state", to_string(step.state)}, {"text", step.text}});
  json::object made{{"proved", is_proved}};
  if (verdict.failed != nullptr) made.emplace("failed_step", verdict.failed->name);
  made.emplace("steps", std::move(steps));
  if (!facts.is_null()) made.emplace("facts", std::move(facts));
  made.emplace("proves", sentences_json(verdict.proved));
  made.emplace("does_not_prove", sentences_json(verdict.not_proved));
  return made;
}

}  // namespace eventchain::tools
