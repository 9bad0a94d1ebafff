#include "tests/sim/demands.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace eventchain::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using State = node::EventOutcome::State;

// Who asked last did so when the chaos ended, and wanted an answer within the longest of all
// timeouts.
constexpr seconds kAnswersMax{12};

// One new event at one node. A node that dies before it answers is asked again when it is back.
struct Probe {
  std::size_t node = 0;
  node::WaitFor wait = node::WaitFor::kDurable;
  bool is_asked = false;
  bool is_done = false;
};
using Probes = std::vector<Probe>;

// A new one whenever it is asked for.
chain::Bytes make_body(const Probe& probe, Time now) {
  chain::Event event;
  event.set("id", fmt::format("{}-{}-{}", now.since_start.count(), probe.node,
                              static_cast<int>(probe.wait)));
  event.set("source", std::string("/probe"));
  event.set("type", std::string("sim"));
  event.set("stream", std::string("probes"));
  return chain::encode_body(event);
}

bool has_arrived(const node::Answer& answer, node::WaitFor wait) {
  const node::EventOutcome& outcome = answer.outcomes.front();
  if (!answer.reached) return false;
  if (wait == node::WaitFor::kFinal) return outcome.state == State::kCompleted && outcome.is_final;
  return outcome.state == State::kDurable || outcome.state == State::kCompleted;
}

void ask(Cluster& cluster, const std::shared_ptr<Probes>& probes, std::size_t index) {
  Probe& probe = (*probes)[index];
  probe.is_asked = true;
  const chain::Bytes body = make_body(probe, cluster.scheduler().now());
  cluster.submit(
      probe.node, {cluster.make_event(body)}, probe.wait, patience(cluster),
      [&cluster, probes, index](const std::optional<node::Answer>& answer) {
        Probe& asked = (*probes)[index];
        asked.is_asked = false;
        // A late order may remove it meanwhile, and it gives up what it has.
        if (!answer || !cluster.is_member(asked.node)) return;
        if (!has_arrived(*answer, asked.wait))
          throw Violation(
              "I15",
              fmt::format("n{} is healed and does not bring a new event to "
                          "stage {}: reached={} state={}; {}",
                          asked.node, static_cast<int>(asked.wait), answer->reached,
                          static_cast<int>(answer->outcomes.front().state), cluster.describe()));
        asked.is_done = true;
      });
}

bool comes_true(Cluster& cluster, const std::function<bool()>& is_true, Span limit) {
  const Time since = cluster.scheduler().now();
  const bool came = cluster.run_until(is_true, limit);
  cluster.waited(cluster.scheduler().now() - since, limit);
  return came;
}

}  // namespace

Span patience(const Cluster& cluster) {
  const ClusterOptions& options = cluster.options();
  const auto blocks = static_cast<std::int64_t>(60 + 2 * cluster.pending_most());
  return seconds(30) + 20 * options.core.election_timeout +
         blocks * milliseconds(options.interval_ms) + options.core.assembler.expectation_wait;
}

void demand_progress(Cluster& cluster, const Nodes& who, const char* when) {
  const Span limit = patience(cluster);
  if (comes_true(
          cluster, [&] { return cluster.is_settled(who()); }, limit))
    return;
  throw Violation(
      "I15", fmt::format("no convergence {} within {} s: {}", when,
                         std::chrono::duration_cast<seconds>(limit).count(), cluster.describe()));
}

void demand_newest_level(Cluster& cluster) {
  const auto level = [&cluster] { return cluster.membership().newest()->feature_level; };
  const std::uint16_t newest = cluster.options().newest_program;
  if (comes_true(
          cluster, [&] { return level() == newest; }, patience(cluster)))
    return;
  throw Violation("I15", fmt::format("the feature level stays at {} of {}: {}", level(), newest,
                                     cluster.describe()));
}

void demand_reads(Cluster& cluster, const std::vector<std::size_t>& nodes) {
  std::size_t answered = 0;
  for (const std::size_t node : nodes) {
    cluster.read(node, patience(cluster), [&](const std::optional<bool>& reached) {
      if (reached.value_or(false)) ++answered;
    });
  }
  if (comes_true(
          cluster, [&] { return answered == nodes.size(); }, patience(cluster)))
    return;
  throw Violation("I15", fmt::format("only {} of {} healthy nodes answer a linearizable read: {}",
                                     answered, nodes.size(), cluster.describe()));
}

void demand_writes(Cluster& cluster, const Nodes& who, const char* when) {
  // The answers outlive this function where a node stops being one of them.
  const auto probes = std::make_shared<Probes>();
  for (const std::size_t node : who()) {
    for (const auto wait : {node::WaitFor::kDurable, node::WaitFor::kFinal})
      probes->push_back({node, wait});
  }
  const auto are_done = [&] {
    const std::vector<std::size_t> now = who();
    bool are_all_done = true;
    for (std::size_t i = 0; i < probes->size(); ++i) {
      const Probe& probe = (*probes)[i];
      // A light member takes no events. Before its first start nothing on its disk says so.
      if (probe.is_done || cluster.host(probe.node).is_light()) continue;
      if (std::ranges::count(now, probe.node) == 0) continue;
      are_all_done = false;
      if (!probe.is_asked && cluster.host(probe.node).is_alive()) ask(cluster, probes, i);
    }
    return are_all_done;
  };
  if (comes_true(cluster, are_done, patience(cluster))) return;
  throw Violation("I15", fmt::format("new events do not arrive {}: {}", when, cluster.describe()));
}

void demand_answers(Cluster& cluster) {
  if (cluster.run_until([&] { return cluster.open_questions().empty(); }, kAnswersMax)) return;
  throw Violation("answers", fmt::format("nobody was ever answered by n{}",
                                         fmt::join(cluster.open_questions(), ", n")));
}

}  // namespace eventchain::sim
