#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/sim/cluster.h"

namespace eventchain::sim {

// A story in a file: one step a line, words separated by blanks, '#' starts a comment. README.md
// lists the verbs. Every commit of every node is checked while a step runs; after the last line
// everything is healed, progress is demanded, and each node's chain is verified.
class Scenario {
 public:
  explicit Scenario(bool prints) : prints_(prints) {}

  // Throws ScenarioFailure, which names the line.
  void run(const std::string& text);

 private:
  using Words = std::vector<std::string>;
  using Condition = std::function<bool()>;
  struct Story {  // of one submitted request
    std::optional<node::Answer> answer;
    bool was_forsaken = false;  // the node died first
  };

  void step(const Words& words);
  void finish();

  // --- verbs (scenario_verbs.cpp), each with the words behind it ----------------------------
  void cluster(const Words& words);
  void name(const Words& words);
  void run_for(const Words& words);
  void until(const Words& words);
  void expect(const Words& words);
  void split(const Words& words);
  void cut(const Words& words);
  void heal(const Words& words);
  void kill(const Words& words);
  void restart(const Words& words);
  void pause(const Words& words);
  void resume(const Words& words);
  void slow(const Words& words);
  void mine(const Words& words);
  void submit(const Words& words);
  void remember(const Words& words);
  void read(const Words& words);
  void clock(const Words& words);
  void order(const Words& words);    // scenario_members.cpp
  void program(const Words& words);  // scenario_members.cpp

  // --- conditions (scenario_conditions.cpp) -------------------------------------------------
  Condition condition(const Words& words);
  Condition about_part(const std::string& who, const std::string& part);  // scenario_members.cpp
  Condition about_nodes(const std::string& who, const Words& words);
  Condition about_answer(const std::string& request, const Words& words);
  Condition about_answers(const std::string& one, const std::string& other, const Words& words);
  [[nodiscard]] std::string outcome_of(const std::string& request) const;

  // An operator asks again while it does not work now.
  void ask(std::size_t at, const std::string& name, const net::Order& order);

  [[nodiscard]] std::size_t node(const std::string& word) const;
  // 'all' are the members.
  [[nodiscard]] std::vector<std::size_t> nodes(const std::string& word) const;

  const bool prints_;
  std::unique_ptr<Cluster> cluster_;
  std::map<std::string, std::size_t> names_;
  std::map<std::string, Story> stories_;
  std::map<std::string, std::string> reads_;   // what became of each
  std::map<std::string, std::string> orders_;  // what became of each
  std::map<std::string, chain::TemplateHash> templates_;
  std::map<std::string, consensus::Term> terms_;
};

class ScenarioFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace eventchain::sim
