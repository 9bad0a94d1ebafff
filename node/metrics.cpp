#include "node/metrics.h"

#include <prometheus/client_metric.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "node/api/rate_estimate.h"

namespace eventchain::node {

namespace {

using Families = std::vector<prometheus::MetricFamily>;
using Labels = std::vector<std::pair<std::string, std::string>>;

prometheus::MetricFamily& family(Families& families, const char* name, const char* help,
                                 prometheus::MetricType type) {
  prometheus::MetricFamily added;
  added.name = std::string("eventchain_") + name;
  added.help = help;
  added.type = type;
  families.push_back(std::move(added));
  return families.back();
}

void add(prometheus::MetricFamily& to, double value, const Labels& labels = {}) {
  prometheus::ClientMetric metric;
  for (const auto& [name, text] : labels) metric.label.push_back({name, text});
  if (to.type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  to.metric.push_back(std::move(metric));
}

void gauge(Families& families, const char* name, const char* help, double value) {
  add(family(families, name, help, prometheus::MetricType::Gauge), value);
}

void counter(Families& families, const char* name, const char* help, std::uint64_t value) {
  add(family(families, name, help, prometheus::MetricType::Counter), static_cast<double>(value));
}

double number(std::uint64_t value) {
  return static_cast<double>(value);
}

void add_chain(Families& families, const NodeStatus& status) {
  gauge(families, "certified_height",
        "Height of the newest block that a majority of voters has signed.",
        number(status.certified.value));
  gauge(families, "tip_height", "Height of the newest committed block.",
        number(status.height.value));
  gauge(families, "blocks_behind", "Blocks that linked peers have said to be ahead of this node.",
        number(blocks_behind(status)));
  gauge(families, "intake_open", "1 if this node takes in events.", status.intake_open ? 1 : 0);
  gauge(families, "log_size_events", "Events with a position.", number(status.log_size));
  gauge(families, "chain_work_hashes", "Expected hashes in the whole chain.",
        status.total_work.to_double());
  gauge(families, "feature_level", "What all voters' programs can do, as a block has it.",
        number(status.feature_level));
  gauge(families, "program_feature_level", "What this node's program can do.",
        number(status.program_level));
  gauge(families, "leader_clock_ahead_seconds",
        "The leader's wall clock less this node's, as far as that is certain; 0 if it cannot be "
        "told.",
        static_cast<double>(
            status.leader_clock_ahead.value_or(std::chrono::milliseconds(0)).count()) /
            1000);
  gauge(families, "pending_events", "Events held here without a position.",
        number(status.pending_events));
  gauge(families, "pending_bytes", "Bodies of pending events.", number(status.pending_bytes));
  gauge(families, "oldest_pending_seconds",
        "For how long the event that came first has waited here, in this run; 0: none waits.",
        static_cast<double>(status.oldest_pending.value_or(std::chrono::milliseconds(0)).count()) /
            1000);
  gauge(families, "tip_age_seconds", "Since the newest block was applied here, or since the start.",
        static_cast<double>(status.tip_age.count()) / 1000);
  gauge(families, "block_interval_seconds", "The time between blocks that genesis aims at.",
        static_cast<double>(status.block_interval.count()) / 1000);
  gauge(families, "stalled",
        "1 if events wait, and no block has come for ten times the chain's interval, and a minute.",
        is_stalled(status) ? 1 : 0);
  gauge(families, "pending_events_limit", "Pending events that fit the pool.",
        number(status.pool_events_max));
  gauge(families, "draining", "0: takes in events; 1: drains; 2: has drained and may be stopped.",
        !status.drain           ? 0
        : status.drain->is_done ? 2
                                : 1);
  gauge(families, "drain_events", "Events that a node that drains still waits for.",
        status.drain ? number(status.drain->events) : 0);
  gauge(families, "working_on_height", "Height of the template being mined; 0: none.",
        status.working_on ? number(status.working_on->value) : 0);
  gauge(families, "shares_found", "Shares found for the template in hand.",
        number(status.shares_found));
  gauge(families, "shares_needed", "Shares that seal the template in hand.",
        number(status.shares_needed));
  const auto& counted = status.counters;
  counter(families, "events_received_total", "Events accepted from clients here.",
          counted.events_received);
  counter(families, "events_durable_total", "Events accepted here that became durable.",
          counted.events_durable);
  counter(families, "events_completed_total", "Events in blocks applied since the start.",
          counted.events_completed);
  counter(families, "events_rejected_total", "Events that blocks rejected since the start.",
          counted.events_rejected);
  counter(families, "key_conflicts_total", "Events refused because their key has other content.",
          counted.key_conflicts);
  counter(families, "blocks_committed_total", "Blocks applied since the start.",
          counted.blocks_committed);
  counter(families, "blocks_stale_total", "Blocks sealed here that lost their height.",
          counted.blocks_stale);
  counter(families, "templates_made_total", "Templates this node made as leader.",
          counted.templates_made);
  counter(families, "templates_adopted_total", "Templates taken up from a leader.",
          counted.templates_adopted);
  counter(families, "target_easings_total", "Times a leader had to ease a target.",
          counted.easings);
  auto& shares = family(families, "shares_total", "Shares by where they came from or went.",
                        prometheus::MetricType::Counter);
  add(shares, number(counted.own_shares.sum()), {{"kind", "own"}});
  add(shares, number(counted.shares_accepted()), {{"kind", "accepted"}});
  add(shares, number(counted.shares_refused()), {{"kind", "refused"}});
}

// Seconds until the block in work has all its shares, on the average; 0 where there is none or no
// rate to judge by.
double next_block_seconds(const NodeStatus& status, const RateEstimate& rate) {
  if (!status.in_work || rate.per_second <= 0) return 0;
  const auto target = chain::expand(status.in_work->share_target);
  if (!target || status.shares_found >= status.shares_needed) return 0;
  return chain::expected_seconds(*target, status.shares_needed - status.shares_found,
                                 rate.per_second);
}

void add_shares(Families& families, const NodeStatus& status) {
  auto& seen = family(families, "shares_seen_total",
                      "Shares that came to this node, by who found them and what became of them.",
                      prometheus::MetricType::Counter);
  const std::pair<const char*, const ShareCounts&> origins[] = {
      {"own", status.counters.own_shares}, {"peers", status.counters.peer_shares}};
  for (const auto& [origin, counts] : origins) {
    add(seen, number(counts.accepted), {{"origin", origin}, {"result", "accepted"}});
    add(seen, number(counts.duplicate), {{"origin", origin}, {"result", "duplicate"}});
    add(seen, number(counts.surplus), {{"origin", origin}, {"result", "surplus"}});
    add(seen, number(counts.stale), {{"origin", origin}, {"result", "stale"}});
    add(seen, number(counts.refused), {{"origin", origin}, {"result", "refused"}});
  }
  counter(families, "shares_lost_total", "Accepted shares for templates that another one replaced.",
          status.counters.shares_lost);
  const RateEstimate rate = estimate_rate(status.recent_shares).value_or(RateEstimate{});
  auto& rates = family(families, "cluster_hashes_per_second",
                       "Hashes a second of all members, by the newest blocks' shares, and the 95 "
                       "percent bounds; 0 if that cannot be told.",
                       prometheus::MetricType::Gauge);
  add(rates, rate.per_second, {{"bound", "estimate"}});
  add(rates, rate.low, {{"bound", "low"}});
  add(rates, rate.high, {{"bound", "high"}});
  gauge(families, "next_block_expected_seconds",
        "Mean time until the block in work has its shares, at that rate; 0 if nothing is in work.",
        next_block_seconds(status, rate));
}

void add_consensus(Families& families, const NodeStatus& status) {
  gauge(families, "raft_term", "Current Raft term.", number(status.term.value));
  gauge(families, "raft_is_leader", "1 if this node leads.",
        status.role == consensus::Role::kLeader ? 1 : 0);
  gauge(families, "raft_has_leader", "1 if a leader is known and reachable.", status.ready ? 1 : 0);
  gauge(families, "raft_commit_index", "Raft commit index.", number(status.commit_index.value));
  gauge(families, "raft_applied_index", "Raft log index applied.",
        number(status.applied_index.value));
  counter(families, "leaderships_total", "Times this node became a ready leader.",
          status.counters.elections);
  counter(families, "peer_faults_total", "Messages that no correct peer sends.",
          status.counters.peer_faults);
  counter(families, "requests_dropped_total",
          "Requests of peers that one turn had no room for; whoever needs them asks again.",
          status.counters.requests_dropped);
  auto& linked = family(families, "peer_linked", "1 if there is a link to the peer.",
                        prometheus::MetricType::Gauge);
  for (const auto& peer : status.peers) add(linked, peer.linked ? 1 : 0, {{"peer", peer.name}});
}

void add_mining(Families& families, const std::optional<mining::LendingReport>& lending) {
  using State = mining::LendingReport::State;
  const mining::LendingReport report = lending.value_or(mining::LendingReport{});
  counter(families, "hashes_total", "Hashes computed by this node's miner.", report.hashes);
  auto& states =
      family(families, "mining_state", "1 for what the miner does.", prometheus::MetricType::Gauge);
  add(states, lending ? 0 : 1, {{"state", "off"}});
  for (const State state :
       {State::kNoWork, State::kStopped, State::kLends, State::kNoProcess, State::kSilent})
    add(states, lending && report.state == state ? 1 : 0, {{"state", to_string(state)}});
  auto& reasons =
      family(families, "mining_reason", "1 for why nothing is lent, or why not more, with work.",
             prometheus::MetricType::Gauge);
  for (std::size_t i = 0; i < mining::kLendingReasons; ++i) {
    const auto reason = static_cast<mining::LendingReason>(i);
    const bool holds = lending && report.has_reason() && report.reason == reason;
    add(reasons, holds ? 1 : 0, {{"reason", std::string(to_string(reason))}});
  }
  gauge(families, "mining_threads", "Threads that may mine now.", report.threads);
  gauge(families, "mining_allowed_ratio", "Part of the processors that may be lent now.",
        report.may_lend);
  gauge(families, "mining_lent_ratio", "Part of the processors that is lent, over a second.",
        report.lent);
  gauge(families, "mining_others_ratio",
        "Part of the processors that others use, as last measured.", report.others);
  gauge(families, "mining_stolen_ratio",
        "Part of the processors that the hypervisor takes, as last measured.", report.stolen);
  gauge(families, "mining_hashes_per_second", "Hashes a second, over ten seconds with work.",
        report.hash_rate);
  gauge(families, "mining_isolated", "1 if the miner's cgroup gets idle processor time alone.",
        report.host.is_isolated ? 1 : 0);
}

void add_shell(Families& families, const MetricsSample& sample) {
  counter(families, "turns_total", "Turns of the core: durable transactions.",
          sample.runtime.turns);
  counter(families, "inputs_total", "Inputs handled by the core.", sample.runtime.inputs);
  constexpr double kNanosecond = 1e-9;
  add(family(families, "commit_seconds_total", "Time spent waiting for the disk.",
             prometheus::MetricType::Counter),
      number(sample.runtime.commit_nanoseconds) * kNanosecond);
  add(family(families, "busy_seconds_total", "Time the core thread was not waiting for inputs.",
             prometheus::MetricType::Counter),
      number(sample.runtime.busy_nanoseconds) * kNanosecond);
  counter(families, "inbox_overflows_total", "Links closed because the core could not keep up.",
          sample.runtime.inbox_overflows);
  counter(families, "share_messages_dropped_total",
          "Messages with shares that were dropped because their peer's queue was full: each digest "
          "takes long (RandomX).",
          sample.runtime.share_messages_dropped);
  gauge(families, "links", "Live links to peers.", number(sample.mesh.links));
  auto& octets = family(families, "link_bytes_total", "Octets on links before encryption.",
                        prometheus::MetricType::Counter);
  add(octets, number(sample.mesh.bytes_in), {{"direction", "in"}});
  add(octets, number(sample.mesh.bytes_out), {{"direction", "out"}});
  auto& endings = family(families, "connections_ended_total", "Peer connections by how they ended.",
                         prometheus::MetricType::Counter);
  for (std::size_t i = 0; i < net::kEndings; ++i)
    add(endings, number(sample.mesh.endings[i]),
        {{"reason", net::to_string(static_cast<net::Ending>(i))}});
  counter(families, "dials_failed_total", "Failed attempts to reach a peer.",
          sample.mesh.dials_failed);
  gauge(families, "http_connections", "Open client connections.", number(sample.http_connections));
}

void add_witnesses(Families& families, const WitnessesReport& report) {
  // Without bound where nothing is witnessed, so that an alert on the age rings then, too.
  gauge(families, "witnessed_age_seconds",
        "Since enough witnesses cosigned a checkpoint of this log; +Inf: they never did.",
        report.age ? static_cast<double>(report.age->count()) / 1000
                   : std::numeric_limits<double>::infinity());
  gauge(families, "witnessed_log_size_events", "Entries of the newest witnessed checkpoint.",
        number(report.size));
  gauge(families, "witnesses_needed", "Witnesses that must cosign a checkpoint.",
        number(report.quorum));
  gauge(families, "witness_memory_alarm",
        "1 if the log is not the one that witnesses cosigned for this node.",
        report.alarm.empty() ? 0 : 1);
  auto& alarms = family(families, "witness_alarm",
                        "1 if the witness knows another history of this log, or more of it than "
                        "the cluster has.",
                        prometheus::MetricType::Gauge);
  for (const WitnessReport& one : report.witnesses)
    add(alarms, is_alarm(one.condition) ? 1 : 0, {{"witness", one.name}});
  auto& sizes = family(families, "witness_log_size_events",
                       "Entries of the last checkpoint that the witness cosigned for this node.",
                       prometheus::MetricType::Gauge);
  for (const WitnessReport& one : report.witnesses)
    add(sizes, number(one.size), {{"witness", one.name}});
  auto& times =
      family(families, "witness_last_success_timestamp_seconds",
             "When that was, by the witness' clock; 0: never.", prometheus::MetricType::Gauge);
  for (const WitnessReport& one : report.witnesses)
    add(times, one.time ? static_cast<double>(one.time->value) : 0, {{"witness", one.name}});
  auto& answers = family(families, "witness_requests_total",
                         "Checkpoints shown to the witness since the start, by what came of it.",
                         prometheus::MetricType::Counter);
  for (const WitnessReport& one : report.witnesses) {
    add(answers, number(one.cosigned), {{"witness", one.name}, {"result", "cosigned"}});
    add(answers, number(one.failed), {{"witness", one.name}, {"result", "failed"}});
  }
}

void add_cosigner(Families& families, const CosignerReport& report) {
  auto& requests = family(families, "cosigner_requests_total",
                          "Checkpoints of other logs shown to this witness, by its answer.",
                          prometheus::MetricType::Counter);
  add(requests, number(report.cosigned), {{"result", "cosigned"}});
  add(requests, number(report.contradictions), {{"result", "contradiction"}});
  add(requests, number(report.unproven), {{"result", "unproven"}});
  add(requests, number(report.refused), {{"result", "refused"}});
  auto& sizes = family(families, "cosigner_log_size_events",
                       "Entries of the largest checkpoint that this witness cosigned of a log.",
                       prometheus::MetricType::Gauge);
  for (const CosignerReport::Log& log : report.logs)
    add(sizes, number(log.size), {{"log", log.origin}});
  gauge(families, "cosigner_failed", "1 if this witness' disk failed and it cosigns nothing.",
        report.failure.empty() ? 0 : 1);
}

double seconds(std::chrono::milliseconds duration) {
  return static_cast<double>(duration.count()) / 1000;
}

void add_host(Families& families, const MetricsSample& sample) {
  const HostState& host = sample.host;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  add(family(families, "build_info", "1, with the version of the program.",
             prometheus::MetricType::Gauge),
      1, {{"version", host.version}});
  gauge(families, "process_start_time_seconds", "When this program was started.",
        seconds(std::chrono::milliseconds(host.started.value)));
  // A light member hears of blocks, and cannot know that it has heard of all.
  if (!sample.status.is_light)
    gauge(
        families, "staleness_seconds",
        "How long ago this node last knew that it had applied all that was committed; infinite if "
        "it never did.",
        sample.age ? seconds(*sample.age) : kInfinity);
  if (host.disk) {
    gauge(families, "disk_free_bytes", "Free space where the node keeps its database.",
          number(host.disk->free_bytes));
    gauge(families, "disk_reserve_bytes", "With less free space than this no events are taken in.",
          number(host.disk->reserve_bytes));
  }
  gauge(families, "evidence_files",
        "Forks of the chain that this node has met and keeps the evidence of.",
        number(host.evidence_files));
  auto& ends = family(families, "certificate_expiry_timestamp_seconds",
                      "When the certificate in use ends to be valid; "
                      "infinite where none is used.",
                      prometheus::MetricType::Gauge);
  for (const char* use : {"peers", "api"}) {
    const auto found = std::ranges::find(host.certificates, use, &CertificateState::use);
    add(ends,
        found == host.certificates.end()
            ? kInfinity
            : seconds(std::chrono::milliseconds(found->not_after.value)),
        {{"use", use}});
  }
}

const char* class_of(int status) {
  if (status < 300) return "2xx";
  if (status < 400) return "3xx";
  return status < 500 ? "4xx" : "5xx";
}

}  // namespace

struct Metrics::Parts {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Histogram>& http =
      prometheus::BuildHistogram()
          .Name("eventchain_http_request_duration_seconds")
          .Help("Last octet of a request to last octet of its answer.")
          .Register(registry);
};

Metrics::Metrics() : parts_(std::make_unique<Parts>()) {}
Metrics::~Metrics() = default;

void Metrics::observe_http(const char* label, int status, std::chrono::nanoseconds duration) {
  static const prometheus::Histogram::BucketBoundaries kBoundaries = {
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
  parts_->http.Add({{"route", label}, {"class", class_of(status)}}, kBoundaries)
      .Observe(std::chrono::duration<double>(duration).count());
}

std::string Metrics::render(const MetricsSample& sample) const {
  Families families = parts_->registry.Collect();
  add_chain(families, sample.status);
  add_shares(families, sample.status);
  add_consensus(families, sample.status);
  add_mining(families, sample.lending);
  add_shell(families, sample);
  if (sample.witnesses) add_witnesses(families, *sample.witnesses);
  if (sample.cosigner) add_cosigner(families, *sample.cosigner);
  add_host(families, sample);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace eventchain::node
