#include "tests/sim/scenario.h"

#include <sstream>

namespace eventchain::sim {

namespace {

constexpr std::chrono::seconds kHealingMax{180};

std::vector<std::string> words_of(std::string line) {
  line = line.substr(0, line.find('#'));
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

}  // namespace

void Scenario::run(const std::string& text) {
  std::istringstream lines(text);
  std::size_t number = 0;
  try {
    for (std::string line; std::getline(lines, line);) {
      ++number;
      const Words words = words_of(line);
      if (!words.empty()) step(words);
    }
    finish();
  } catch (const std::exception& failure) {
    throw ScenarioFailure(fmt::format("line {}: {}", number, failure.what()));
  }
}

void Scenario::step(const Words& words) {
  using Verb = void (Scenario::*)(const Words&);
  static const std::map<std::string, Verb> kVerbs{
      {"cluster", &Scenario::cluster}, {"name", &Scenario::name},
      {"run", &Scenario::run_for},     {"until", &Scenario::until},
      {"expect", &Scenario::expect},   {"split", &Scenario::split},
      {"heal", &Scenario::heal},       {"kill", &Scenario::kill},
      {"restart", &Scenario::restart}, {"pause", &Scenario::pause},
      {"resume", &Scenario::resume},   {"mine", &Scenario::mine},
      {"submit", &Scenario::submit},   {"remember", &Scenario::remember},
      {"slow", &Scenario::slow},       {"read", &Scenario::read},
      {"clock", &Scenario::clock},     {"cut", &Scenario::cut},
      {"order", &Scenario::order},     {"program", &Scenario::program},
  };
  const auto verb = kVerbs.find(words.front());
  if (verb == kVerbs.end()) throw ScenarioFailure("there is no verb '" + words.front() + "'");
  if (cluster_ == nullptr && words.front() != "cluster")
    throw ScenarioFailure("a story begins with 'cluster'");
  if (cluster_ != nullptr) cluster_->trace().print("--- {}", fmt::join(words, " "));
  (this->*verb->second)(Words(words.begin() + 1, words.end()));
}

void Scenario::finish() {
  if (cluster_ == nullptr) throw ScenarioFailure("an empty story");
  cluster_->heal_members();
  if (!cluster_->run_until([&] { return cluster_->is_settled(cluster_->members()); }, kHealingMax))
    throw ScenarioFailure("healed, but no convergence: " + cluster_->describe());
  cluster_->verify();
}

std::size_t Scenario::node(const std::string& word) const {
  const auto named = names_.find(word);
  if (named != names_.end()) return named->second;
  if (word.size() == 2 && word[0] == 'n' && word[1] >= '0' && word[1] <= '9') {
    const auto index = static_cast<std::size_t>(word[1] - '0');
    if (index < cluster_->size()) return index;
  }
  throw ScenarioFailure("there is no node '" + word + "'");
}

std::vector<std::size_t> Scenario::nodes(const std::string& word) const {
  if (word == "all") return cluster_->members();
  return {node(word)};
}

}  // namespace eventchain::sim
