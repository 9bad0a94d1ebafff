// What can be waited for and expected in a story.

#include <algorithm>
#include <charconv>

#include "tests/sim/scenario.h"

namespace eventchain::sim {

namespace {

std::uint64_t number(const std::vector<std::string>& words, std::size_t index) {
  std::uint64_t value = 0;
  if (index >= words.size()) throw ScenarioFailure("a number is missing");
  const std::string& word = words[index];
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size())
    throw ScenarioFailure("'" + word + "' is no number");
  return value;
}

const char* name_of(node::EventOutcome::State state) {
  using State = node::EventOutcome::State;
  switch (state) {
    case State::kReceived:
      return "received";
    case State::kDurable:
      return "durable";
    case State::kCompleted:
      return "completed";
    case State::kRejected:
      return "rejected";
    case State::kKeyConflict:
      return "key-conflict";
    case State::kVersionConflict:
      return "version-conflict";
    case State::kPoolFull:
      return "pool-full";
    case State::kDiskFull:
      return "disk-full";
    case State::kDraining:
      return "draining";
  }
  return "";
}

}  // namespace

// settled | events N | eased at least N | block N template WORD | leader among NODE..
// members N | voters N
// answer REQUEST OUTCOME | answers REQUEST REQUEST OUTCOME OUTCOME (either way round)
// NODE|all height [at least] N | .. tip same | .. mines | .. shares at least N | .. stale N
//          | .. installed [at least] N | .. leads | .. term WORD
//          | .. level N | .. is voter|standby|observer|light|outsider|gone|outdated
Scenario::Condition Scenario::condition(const Words& words) {
  if (words.empty()) throw ScenarioFailure("what?");
  const std::string& what = words[0];
  if (what == "settled") return [this] { return cluster_->is_settled(cluster_->members()); };
  if (what == "events")
    return [this, n = number(words, 1)] { return cluster_->chain().events() == n; };
  if (what == "eased")
    return [this, n = number(words, 3)] { return cluster_->chain().eased_blocks() >= n; };
  if (what == "members")
    return [this, n = number(words, 1)] { return cluster_->members().size() == n; };
  if (what == "voters")
    return [this, n = number(words, 1)] { return cluster_->voters().size() == n; };
  if (what == "leader") {
    std::vector<std::size_t> among;
    for (std::size_t i = 2; i < words.size(); ++i) among.push_back(node(words[i]));
    return [this, among] {
      const auto leader = cluster_->leader();
      return leader && std::find(among.begin(), among.end(), *leader) != among.end();
    };
  }
  if (what == "block") {
    const chain::Height height{number(words, 1)};
    const chain::TemplateHash hash = templates_.at(words.at(3));
    return [this, height, hash] {
      for (const std::size_t one : cluster_->everybody()) {
        if (cluster_->host(one).is_light()) continue;
        const auto block = cluster_->host(one).store().chain().block(height);
        if (block) return chain::template_hash(block->sealed.header) == hash;
      }
      return false;
    };
  }
  if (what == "answer" && words.size() > 2)
    return about_answer(words[1], Words(words.begin() + 2, words.end()));
  if (what == "answers" && words.size() > 4)
    return about_answers(words[1], words[2], Words(words.begin() + 3, words.end()));
  return about_nodes(what, Words(words.begin() + 1, words.end()));
}

std::string Scenario::outcome_of(const std::string& request) const {
  if (const auto read = reads_.find(request); read != reads_.end()) return read->second;
  if (const auto order = orders_.find(request); order != orders_.end()) return order->second;
  const auto story = stories_.find(request);
  if (story == stories_.end()) throw ScenarioFailure("nobody submitted '" + request + "'");
  if (story->second.was_forsaken) return "forsaken";
  if (!story->second.answer) return "nothing";
  const auto& outcomes = story->second.answer->outcomes;
  const auto first = outcomes.front().state;
  const bool are_same = std::all_of(outcomes.begin(), outcomes.end(),
                                    [&](const auto& one) { return one.state == first; });
  return are_same ? name_of(first) : "mixed";
}

Scenario::Condition Scenario::about_answer(const std::string& request, const Words& words) {
  return [this, request, wanted = words[0]] { return outcome_of(request) == wanted; };
}

Scenario::Condition Scenario::about_answers(const std::string& one, const std::string& other,
                                            const Words& words) {
  return [this, one, other, a = words[0], b = words[1]] {
    const std::string first = outcome_of(one);
    const std::string second = outcome_of(other);
    return (first == a && second == b) || (first == b && second == a);
  };
}

Scenario::Condition Scenario::about_nodes(const std::string& who, const Words& words) {
  if (words.empty()) throw ScenarioFailure("what of " + who + "?");
  if (who != "all") static_cast<void>(node(who));  // there is such a one
  const std::string& what = words[0];
  if (what == "is" && words.size() > 1) return about_part(who, words[1]);
  const bool at_least = words.size() > 2 && words[1] == "at" && words[2] == "least";
  const auto for_all = [this, who](const std::function<bool(NodeHost&)>& is_true) {
    return [this, who, is_true] {
      const std::vector<std::size_t> those = nodes(who);
      return std::all_of(those.begin(), those.end(), [&](std::size_t one) {
        NodeHost& host = cluster_->host(one);
        return host.is_alive() && is_true(host);
      });
    };
  };
  // Of what light members have no part in.
  const auto for_all_full = [for_all](const std::function<bool(const node::NodeCore&)>& is_true) {
    return for_all(
        [is_true](const NodeHost& host) { return !host.is_light() && is_true(host.core()); });
  };
  if (what == "leads")
    return for_all_full([](const node::NodeCore& core) { return core.replica().is_ready(); });
  if (what == "mines")
    return for_all([this](NodeHost& host) { return cluster_->miner(host.index()).is_mining(); });
  if (what == "tip")
    return for_all(
        [this](NodeHost& host) { return host.headers().height() == cluster_->chain().height(); });
  if (what == "term")
    return for_all_full([term = terms_.at(words.at(1))](const node::NodeCore& core) {
      return core.replica().term() == term;
    });
  const std::uint64_t n = number(words, at_least ? 3 : 1);
  const auto fits = [n, at_least](std::uint64_t value) {
    return at_least ? value >= n : value == n;
  };
  if (what == "height")
    return for_all([fits](NodeHost& host) { return fits(host.headers().height().value); });
  if (what == "level")
    return for_all([fits](NodeHost& host) { return fits(host.headers().members->feature_level); });
  if (what == "shares")
    return for_all([fits](NodeHost& host) { return fits(host.machine().status().shares_found); });
  if (what == "stale")
    return for_all_full(
        [fits](const node::NodeCore& core) { return fits(core.status().counters.blocks_stale); });
  if (what == "installed")
    return for_all_full([fits](const node::NodeCore& core) {
      return fits(core.replica().counters().snapshots_installed);
    });
  throw ScenarioFailure("a node has no '" + what + "'");
}

}  // namespace eventchain::sim
