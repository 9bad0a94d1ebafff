#include "node/api/status_json.h"

#include <optional>
#include <utility>

#include "node/api/drain.h"
#include "node/warnings.h"

namespace eventchain::node::api {

namespace {

const char* name_of(consensus::Role role) {
  switch (role) {
    case consensus::Role::kFollower:
      return "follower";
    case consensus::Role::kCandidate:
      return "candidate";
    case consensus::Role::kLeader:
      return "leader";
  }
  return "unknown";
}

void append_counters(JsonText& out, const NodeStatus::Counters& counters) {
  out.key("counters").open_object();
  const std::pair<const char*, std::uint64_t> all[] = {
      {"events_received", counters.events_received},
      {"events_durable", counters.events_durable},
      {"events_completed", counters.events_completed},
      {"events_rejected", counters.events_rejected},
      {"key_conflicts", counters.key_conflicts},
      {"blocks_committed", counters.blocks_committed},
      {"blocks_stale", counters.blocks_stale},
      {"templates_made", counters.templates_made},
      {"templates_adopted", counters.templates_adopted},
      {"shares_own", counters.own_shares.sum()},
      {"shares_accepted", counters.shares_accepted()},
      {"shares_refused", counters.shares_refused()},
      {"elections", counters.elections},
      {"peer_faults", counters.peer_faults},
      {"easings", counters.easings},
      {"requests_dropped", counters.requests_dropped},
  };
  for (const auto& [name, value] : all) out.big(name, value);
  out.close_object();
}

void append_peers(JsonText& out, const NodeStatus& status, const NodeReport* report) {
  out.key("peers").open_array();
  for (const PeerStatus& peer : status.peers) {
    out.open_object()
        .text("node", to_hex(peer.node))
        .text("name", peer.name)
        .boolean("linked", peer.linked);
    if (const auto time = report == nullptr ? std::nullopt : report->unlinked_for(peer))
      out.number("unlinked_ms", time->count());
    if (peer.tip) out.big("height", peer.tip->value);
    if (peer.program_level) out.number("program_level", *peer.program_level);
    if (peer.faults > 0)
      out.big("faults", peer.faults)
          .text("last_fault", peer.last_fault)
          .boolean("shunned", peer.shunned);
    out.close_object();
  }
  out.close_array();
}

constexpr const char* kOff = "this node lends nothing: mining.threads is 0";

void append_disk(JsonText& out, const DiskState& disk) {
  out.key("disk")
      .open_object()
      .text("directory", disk.directory)
      .big("free_bytes", disk.free_bytes)
      .big("size_bytes", disk.size_bytes)
      .big("reserve_bytes", disk.reserve_bytes)
      .big("database_bytes", disk.database_bytes)
      .close_object();
}

void append_certificates(JsonText& out, const NodeReport& report) {
  out.key("certificates").open_array();
  for (const CertificateState& one : report.host.certificates)
    out.open_object()
        .text("use", one.use)
        .text("uri", one.uri)
        .text("issuer", one.issuer)
        .text("not_before", rfc3339(one.not_before))
        .text("not_after", rfc3339(one.not_after))
        .number("seconds_left", (one.not_after.value - report.now.value) / 1000)
        .close_object();
  out.close_array();
}

void append_warnings(JsonText& out, const NodeReport& report) {
  out.key("warnings").open_array();
  for (const Warning& warning : find_warnings(report)) {
    out.open_object()
        .text("code", warning.code)
        .text("severity", to_string(warning.severity))
        .text("text", warning.text)
        .text("remedy", warning.remedy);
    if (!warning.about.empty()) out.text("about", warning.about);
    out.close_object();
  }
  out.close_array();
}

}  // namespace

void append_status(JsonText& out, const NodeStatus& status, const NodeReport* report) {
  out.text("node", to_hex(status.node))
      .text("name", status.name)
      .text("chain", to_hex(status.chain))
      .text("chain_name", status.chain_name)
      .text("role", status.is_light ? "light" : name_of(status.role))
      .big("term", status.term.value)
      .boolean("ready", status.ready);
  if (status.leader) out.text("leader", to_hex(*status.leader));
  out.big("commit_index", status.commit_index.value)
      .big("applied_index", status.applied_index.value)
      .big("height", status.height.value)
      .text("tip", to_hex(status.tip))
      .big("certified", status.certified.value)
      .big("log_size", status.log_size)
      .text("total_work", status.total_work.to_decimal())
      .number("feature_level", status.feature_level)
      .number("program_level", status.program_level);
  if (status.leader_clock_ahead)
    out.number("leader_clock_ahead_ms", status.leader_clock_ahead->count());
  if (status.working_on)
    out.key("in_work")
        .open_object()
        .big("height", status.working_on->value)
        .number("shares_found", status.shares_found)
        .number("shares_needed", status.shares_needed)
        .close_object();
  out.key("pool")
      .open_object()
      .big("events", status.pending_events)
      .big("bytes", status.pending_bytes)
      .big("events_max", status.pool_events_max);
  if (status.oldest_pending) out.number("oldest_ms", status.oldest_pending->count());
  out.close_object()
      .number("tip_age_ms", status.tip_age.count())
      .number("block_interval_ms", status.block_interval.count())
      .boolean("intake_open", status.intake_open);
  if (status.drain) append_drain(out.key("drain"), status.drain);
  append_peers(out, status, report);
  append_counters(out, status.counters);
}

void append_lending(JsonText& out, const mining::LendingReport* report) {
  if (report == nullptr) {
    out.open_object().text("state", "off").text("why", kOff).close_object();
    return;
  }
  out.open_object()
      .text("state", to_string(report->state))
      .text("reason", report->is_there() ? to_string(report->reason) : to_string(report->state))
      .text("why", report->why)
      .boolean("paused", report->wish.pauses)
      .number("cap_percent", report->cap_percent);
  if (report->wish.limit_percent) out.number("limit_percent", *report->wish.limit_percent);
  out.number("processors", report->host.processors)
      .number("cores", report->host.cores)
      .boolean("isolated", report->host.is_isolated)
      .number("threads", report->threads);
  const std::pair<const char*, double> reals[] = {
      {"allowed", report->may_lend}, {"lent", report->lent},           {"others", report->others},
      {"stolen", report->stolen},    {"hash_rate", report->hash_rate},
  };
  for (const auto& [name, value] : reals) out.key(name).real(value);
  if (report->last_word_age) out.number("last_word_ms", report->last_word_age->count());
  out.big("hashes", report->hashes).close_object();
}

void append_report(JsonText& out, const NodeReport& report) {
  append_status(out, report.status, &report);
  if (const chain::Member* self = report.find(report.status.node))
    out.text("member_role", chain::to_string(self->role)).text("site", self->site);
  out.text("version", report.host.version)
      .text("started", rfc3339(report.host.started))
      .text("time", rfc3339(report.now))
      .big("blocks_behind", blocks_behind(report.status));
  if (report.host.disk) append_disk(out, *report.host.disk);
  append_certificates(out, report);
  out.key("evidence")
      .open_object()
      .big("files", report.host.evidence_files)
      .text("directory", report.host.evidence_directory)
      .close_object()
      .key("mining");
  append_lending(out, report.lending ? &*report.lending : nullptr);
  append_warnings(out, report);
}

}  // namespace eventchain::node::api
