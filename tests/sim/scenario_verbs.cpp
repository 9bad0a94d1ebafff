// The verbs of the story language, one function each.

#include <algorithm>
#include <charconv>

#include "tests/sim/scenario.h"

namespace eventchain::sim {

namespace {

constexpr Span kTimeout = std::chrono::minutes(10);
constexpr Span kElectionMax = std::chrono::seconds(30);

std::uint64_t number(const std::string& word) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size())
    throw ScenarioFailure("'" + word + "' is no number");
  return value;
}

// 250ms, 3s
Span span(const std::string& word) {
  const bool is_ms = word.ends_with("ms");
  const std::size_t unit = is_ms ? 2 : 1;
  if (!word.ends_with("s")) throw ScenarioFailure("'" + word + "' is no time; write 250ms or 3s");
  const auto value = static_cast<std::int64_t>(number(word.substr(0, word.size() - unit)));
  return is_ms ? Span(std::chrono::milliseconds(value)) : Span(std::chrono::seconds(value));
}

const std::string& at(const std::vector<std::string>& words, std::size_t index) {
  if (index >= words.size()) throw ScenarioFailure("a word is missing");
  return words[index];
}

}  // namespace

// cluster NODES [seed N] [interval TIME] [heartbeat TIME] [shares N] [hashes N] [wait TIME]
//         [log EVERY KEPT] [joiners N]
void Scenario::cluster(const Words& words) {
  if (cluster_ != nullptr) throw ScenarioFailure("one cluster a story");
  ClusterOptions options;
  options.nodes = number(at(words, 0));
  options.heartbeat_ms = 0;
  const auto ms = [](const std::string& word) {
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(span(word)).count());
  };
  for (std::size_t i = 1; i < words.size(); i += 2) {
    const std::string& value = at(words, i + 1);
    if (words[i] == "joiners") {
      options.joiners = number(value);
    } else if (words[i] == "seed") {
      options.seed = number(value);
    } else if (words[i] == "interval") {
      options.interval_ms = ms(value);
    } else if (words[i] == "heartbeat") {
      options.heartbeat_ms = ms(value);
    } else if (words[i] == "shares") {
      options.share_count = static_cast<std::uint16_t>(number(value));
    } else if (words[i] == "hashes") {
      options.hashes_per_share = number(value);
    } else if (words[i] == "wait") {
      options.core.assembler.expectation_wait = std::chrono::milliseconds(ms(value));
    } else if (words[i] == "log") {
      options.core.snapshot_every = number(value);
      options.core.snapshot_trailing = number(at(words, ++i + 1));
    } else {
      throw ScenarioFailure("a cluster has no '" + words[i] + "'");
    }
  }
  cluster_ = std::make_unique<Cluster>(options, prints_);
  cluster_->start_genesis();
  if (!cluster_->run_until([this] { return cluster_->leader().has_value(); }, kElectionMax))
    throw ScenarioFailure("nobody leads");
}

// name WORD leader | name WORD follower: from now on WORD is that node; each follower gets one
// name.
void Scenario::name(const Words& words) {
  const auto leader = cluster_->leader();
  if (!leader) throw ScenarioFailure("nobody leads");
  if (at(words, 1) == "leader") {
    names_[words[0]] = *leader;
    return;
  }
  for (const std::size_t node : cluster_->voters()) {
    const bool has_name = std::any_of(names_.begin(), names_.end(),
                                      [node](const auto& known) { return known.second == node; });
    if (node == *leader || has_name) continue;
    names_[words[0]] = node;
    return;
  }
  throw ScenarioFailure("every follower has a name");
}

void Scenario::run_for(const Words& words) {
  cluster_->run_for(span(at(words, 0)));
}

// until CONDITION within TIME
void Scenario::until(const Words& words) {
  if (words.size() < 3 || words[words.size() - 2] != "within")
    throw ScenarioFailure("'until' ends with 'within TIME'");
  const auto is_true = condition(Words(words.begin(), words.end() - 2));
  if (!cluster_->run_until(is_true, span(words.back())))
    throw ScenarioFailure("it did not come true: " + cluster_->describe());
}

void Scenario::expect(const Words& words) {
  if (!condition(words)()) throw ScenarioFailure("it is not so: " + cluster_->describe());
}

// split NODE.. | NODE..
void Scenario::split(const Words& words) {
  std::vector<std::vector<std::size_t>> groups(1);
  for (const auto& word : words) {
    if (word == "|") {
      groups.emplace_back();
    } else {
      groups.back().push_back(node(word));
    }
  }
  cluster_->split(groups);
}

// cut NODE NODE: the link between the two, both ways
void Scenario::cut(const Words& words) {
  const std::size_t one = node(at(words, 0));
  const std::size_t other = node(at(words, 1));
  cluster_->network().cut(one, other);
  cluster_->network().cut(other, one);
}

void Scenario::heal(const Words&) {
  cluster_->network().mend_all();
}

void Scenario::kill(const Words& words) {
  for (const auto& word : words) cluster_->kill(node(word));
}

void Scenario::restart(const Words& words) {
  for (const auto& word : words) cluster_->start(node(word));
}

void Scenario::pause(const Words& words) {
  for (const auto& word : words) cluster_->host(node(word)).pause();
}

void Scenario::resume(const Words& words) {
  for (const auto& word : words) cluster_->host(node(word)).resume();
}

// slow NODE NODE TIME: what a message takes longer between the two
void Scenario::slow(const Words& words) {
  cluster_->network().slow_down(node(at(words, 0)), node(at(words, 1)), span(at(words, 2)));
}

// mine NODE|all off | on | times N | part N: a share of what the cluster was set up for
void Scenario::mine(const Words& words) {
  const std::uint64_t full = hash_rate(cluster_->options());
  std::uint64_t rate = full;
  const std::string& how = at(words, 1);
  if (how == "off") {
    rate = 0;
  } else if (how == "times") {
    rate = full * number(at(words, 2));
  } else if (how == "part") {
    rate = std::max<std::uint64_t>(1, full / number(at(words, 2)));
  } else if (how != "on") {
    throw ScenarioFailure("miners are off, on, times N or part N");
  }
  for (const std::size_t one : nodes(at(words, 0))) cluster_->miner(one).set_rate(rate);
}

// submit REQUEST to NODE id WORD [stream WORD] [data WORD] [expects N] [wait STAGE] [times N]
void Scenario::submit(const Words& words) {
  const std::string& request = at(words, 0);
  chain::Event event;
  std::string stream = "s";
  std::string data = "x";
  std::string id = request;
  std::string stage = "completed";
  std::optional<std::int32_t> expected;
  std::uint64_t times = 1;
  for (std::size_t i = 3; i < words.size(); i += 2) {
    const std::string& value = at(words, i + 1);
    if (words[i] == "id") {
      id = value;
    } else if (words[i] == "stream") {
      stream = value;
    } else if (words[i] == "data") {
      data = value;
    } else if (words[i] == "wait") {
      stage = value;
    } else if (words[i] == "times") {
      times = number(value);
    } else if (words[i] == "expects") {
      expected = value == "nothing" ? -1 : static_cast<std::int32_t>(number(value));
    } else {
      throw ScenarioFailure("an event has no '" + words[i] + "'");
    }
  }
  std::vector<chain::HeldEvent> events;
  for (std::uint64_t i = 0; i < times; ++i) {
    event = {};
    event.set("id", times == 1 ? id : fmt::format("{}-{}", id, i));
    event.set("source", std::string("/story"));
    event.set("type", std::string("story"));
    event.set("stream", stream);
    if (expected) event.set("expectedversion", *expected);
    event.data_kind = chain::DataKind::kBinary;
    event.data = data;
    events.push_back(cluster_->make_event(chain::encode_body(event)));
  }
  const auto wait = stage == "received"  ? node::WaitFor::kReceived
                    : stage == "durable" ? node::WaitFor::kDurable
                    : stage == "final"   ? node::WaitFor::kFinal
                                         : node::WaitFor::kCompleted;
  stories_[request] = {};
  cluster_->submit(node(at(words, 2)), std::move(events), wait, kTimeout,
                   [this, request](const std::optional<node::Answer>& answer) {
                     stories_[request] = {answer, !answer.has_value()};
                   });
}

// read REQUEST at NODE: a linearizable one
void Scenario::read(const Words& words) {
  const std::string& request = at(words, 0);
  reads_[request] = "nothing";
  cluster_->read(node(at(words, 2)), kTimeout, [this, request](std::optional<bool> reached) {
    reads_[request] = !reached ? "forsaken" : *reached ? "answered" : "refused";
  });
}

// clock NODE part N: its monotonic clock runs at a part of its pace
void Scenario::clock(const Words& words) {
  const std::uint64_t part = number(at(words, 2));
  if (part == 0 || part > 1000) throw ScenarioFailure("a clock runs at a 1st to 1000th part");
  cluster_->host(node(at(words, 0))).slow_clock(static_cast<std::int64_t>(part));
}

// remember WORD template|term of NODE: what it mines now, or its term
void Scenario::remember(const Words& words) {
  if (at(words, 1) == "term") {
    const NodeHost& host = cluster_->host(node(at(words, 3)));
    if (!host.is_alive() || host.is_light()) throw ScenarioFailure("it has no term");
    terms_[words[0]] = host.core().replica().term();
    return;
  }
  const auto& order = cluster_->miner(node(at(words, 3))).order();
  if (!order) throw ScenarioFailure("it mines nothing");
  templates_[words[0]] = order->template_hash;
}

}  // namespace eventchain::sim
