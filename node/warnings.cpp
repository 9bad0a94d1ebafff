#include "node/warnings.h"

#include <fmt/format.h>

#include <algorithm>

namespace eventchain::node {

namespace {

using std::chrono::milliseconds;
namespace limits = warning_limits;

constexpr std::uint64_t kMebibyte = 1024 * 1024;
constexpr std::int64_t kDayMs = 24LL * 3600 * 1000;

std::string mebibytes(std::uint64_t bytes) {
  return fmt::format("{} MiB", bytes / kMebibyte);
}

std::string seconds(milliseconds time) {
  return fmt::format("{} s", time.count() / 1000);
}

bool is_voter(const NodeReport& report, const chain::NodeId& node) {
  const chain::Member* member = report.find(node);
  return member != nullptr && member->role == chain::MemberRole::kVoter;
}

// Each looks for one kind of trouble.
using Warnings = std::vector<Warning>;

void look_at_leader(const NodeReport& report, Warnings& out) {
  const NodeStatus& status = report.status;
  if (status.ready) return;
  if (status.is_light)
    return out.push_back({"no-link", Severity::kCritical,
                          "no full member is linked, so it hears of no block and mines nothing",
                          "see whether its host reaches the members' peers addresses"});
  out.push_back({"no-leader", Severity::kCritical,
                 "it knows no leader that it reaches: events taken in here cannot become durable",
                 "a majority of the voters must run and reach each other; start those that are "
                 "down, mend the network between them"});
}

void look_at_progress(const NodeReport& report, Warnings& out) {
  const NodeStatus& status = report.status;
  // Who reaches no leader, or is behind, is told that instead.
  if (!status.ready || !is_stalled(status) || blocks_behind(status) > limits::kBlocksBehind) return;
  const auto interval = std::max(status.block_interval, milliseconds(1));
  out.push_back(
      {"stalled", Severity::kCritical,
       fmt::format("events wait, the first for {}, and no block has come for {}: {} times "
                   "the chain's interval",
                   seconds(*status.oldest_pending), seconds(status.tip_age),
                   status.tip_age / interval),
       "see who mines (eventchain mining status --cluster), and whether a majority of the "
       "voters is linked with the leader"});
}

void look_at_lag(const NodeReport& report, Warnings& out) {
  const std::uint64_t behind = blocks_behind(report.status);
  if (behind <= limits::kBlocksBehind) return;
  out.push_back({"behind", Severity::kWarning,
                 fmt::format("it is {} blocks behind what its peers say", behind),
                 "it catches up by itself; if the number does not fall, see its log and its disk"});
}

void look_at_links(const NodeReport& report, Warnings& out) {
  // Voters are linked with each other; of the others each has a few links of many.
  if (!is_voter(report, report.status.node)) return;
  for (const PeerStatus& peer : report.status.peers) {
    const auto time = report.unlinked_for(peer);
    if (!time || *time < limits::kUnlinked || !is_voter(report, peer.node)) continue;
    out.push_back({"peer-unlinked", Severity::kWarning,
                   fmt::format("no link to voter {} for {}", peer.name, seconds(*time)),
                   fmt::format("see whether {} runs, and whether this host reaches its peers "
                               "address; the log names why links fail",
                               peer.name),
                   peer.name});
  }
}

void look_at_conduct(const NodeReport& report, Warnings& out) {
  for (const PeerStatus& peer : report.status.peers)
    if (peer.shunned)
      out.push_back({"peer-shunned", Severity::kWarning,
                     fmt::format("{} is shunned for {} faults, last: {}", peer.name, peer.faults,
                                 peer.last_fault),
                     fmt::format("see what runs on {}: a correct program does not do that; its "
                                 "memory or disk may be bad",
                                 peer.name),
                     peer.name});
}

void look_at_disk(const NodeReport& report, Warnings& out) {
  const auto& disk = report.host.disk;
  if (!disk) return;
  const std::string remedy = fmt::format(
      "make room on the file system of {}, or enlarge it; disk.reserve_bytes says how much is kept",
      disk->directory);
  if (disk->free_bytes < disk->reserve_bytes)
    return out.push_back({"disk-full", Severity::kCritical,
                          fmt::format("the disk is full: {} free, less than the reserve of {}; it "
                                      "takes in no events, and votes on",
                                      mebibytes(disk->free_bytes), mebibytes(disk->reserve_bytes)),
                          remedy});
  const std::uint64_t soon = std::max(2 * disk->reserve_bytes, disk->size_bytes / 20);
  if (disk->free_bytes < soon)
    out.push_back({"disk-low", Severity::kWarning,
                   fmt::format("the disk is filling up: {} of {} free; below {} intake stops",
                               mebibytes(disk->free_bytes), mebibytes(disk->size_bytes),
                               mebibytes(disk->reserve_bytes)),
                   remedy});
}

void look_at_certificates(const NodeReport& report, Warnings& out) {
  for (const CertificateState& one : report.host.certificates) {
    const std::int64_t left = one.not_after.value - report.now.value;
    const std::string remedy =
        "issue a new one (eventchain pki issue, or the playbook rotate-certificates), put it in "
        "its place and send eventchaind SIGHUP";
    if (left <= 0) {
      out.push_back(
          {"certificate-expired", Severity::kCritical,
           fmt::format("the certificate for {} has expired; new connections fail", one.use), remedy,
           one.use});
    } else if (left < milliseconds(limits::kCertificateSoon).count()) {
      const bool is_now = left < milliseconds(limits::kCertificateNow).count();
      out.push_back(
          {"certificate-expires", is_now ? Severity::kCritical : Severity::kWarning,
           fmt::format("the certificate for {} expires in {} days", one.use, left / kDayMs), remedy,
           one.use});
    }
    if (one.not_before.value > report.now.value)
      out.push_back(
          {"certificate-early", Severity::kCritical,
           fmt::format("the certificate for {} is not valid yet by this host's clock", one.use),
           "see whether this host's clock is right", one.use});
  }
}

void look_at_clock(const NodeReport& report, Warnings& out) {
  const auto& ahead = report.status.leader_clock_ahead;
  if (!ahead || std::chrono::abs(*ahead) <= limits::kClockApart) return;
  out.push_back({"clock", Severity::kWarning,
                 fmt::format("the leader's clock is {:+.1f} s from this host's",
                             static_cast<double>(ahead->count()) / 1000),
                 "check time synchronisation on both hosts (timedatectl)"});
}

void look_at_evidence(const NodeReport& report, Warnings& out) {
  if (report.host.evidence_files == 0) return;
  out.push_back({"evidence", Severity::kCritical,
                 fmt::format("{} files hold proof of two histories, each signed by a majority",
                             report.host.evidence_files),
                 fmt::format("read {}: whose signatures are on both lied or was cloned; keep the "
                             "files, then move them away",
                             report.host.evidence_directory)});
}

void look_at_programs(const NodeReport& report, Warnings& out) {
  const NodeStatus& status = report.status;
  std::uint16_t newest = status.feature_level;
  for (const PeerStatus& peer : status.peers)
    newest = std::max(newest, peer.program_level.value_or(0));
  if (status.program_level >= newest) return;
  out.push_back({"program-old", Severity::kNotice,
                 fmt::format("its program can do feature level {}, others' {}: the cluster cannot "
                             "use the newer one's before all voters can",
                             status.program_level, newest),
                 "upgrade this node"});
}

void look_at_mining(const NodeReport& report, Warnings& out) {
  using State = mining::LendingReport::State;
  if (!report.lending) return;
  const mining::LendingReport& lending = *report.lending;
  if (!lending.is_there())
    return out.push_back({"miner-away", Severity::kWarning, "nothing is mined: " + lending.why,
                          lending.state == State::kNoProcess
                              ? "start the miner's unit (eventchaind mine)"
                              : "see the miner's unit and its log; restart it"});
  if (lending.reason == mining::LendingReason::kBlind)
    out.push_back({"mining-blind", Severity::kWarning, "nothing is mined: " + lending.why,
                   "let the miner read /proc/stat"});
  // Before it had anything to mine nobody looked.
  if (lending.state == State::kNoWork || lending.host.is_isolated || lending.wish.pauses) return;
  out.push_back(
      {"mining-not-isolated", Severity::kNotice,
       "mining competes with the host's services and limits itself: its cgroup does not "
       "get idle time alone",
       "let it mine as a unit of its own with CPUWeight=idle (mining.run = \"process\")"});
}

void look_at_intake(const NodeReport& report, Warnings& out) {
  const NodeStatus& status = report.status;
  if (status.drain)
    out.push_back({"draining", Severity::kNotice,
                   status.drain->is_done ? "it has drained and may be stopped"
                                         : "it drains: it takes in no events",
                   "restart it, or eventchain node drain --undo"});
  constexpr std::uint64_t kPercentFull = 80;
  if (status.pool_events_max > 0 &&
      status.pending_events > status.pool_events_max / 100 * kPercentFull)
    out.push_back({"pool-full", Severity::kWarning,
                   fmt::format("{} events wait for a block, of at most {}; clients are asked to "
                               "come back later",
                               status.pending_events, status.pool_events_max),
                   "see whether blocks are made, and what is in the way: no leader, no hash rate"});
}

}  // namespace

const char* to_string(Severity severity) {
  switch (severity) {
    case Severity::kNotice:
      return "notice";
    case Severity::kWarning:
      return "warning";
    case Severity::kCritical:
      return "critical";
  }
  return "";
}

const chain::Member* NodeReport::find(const chain::NodeId& node) const {
  if (members == nullptr) return nullptr;
  const auto found = std::ranges::find(members->members, node, &chain::Member::node);
  return found == members->members.end() ? nullptr : &*found;
}

std::optional<milliseconds> NodeReport::unlinked_for(const PeerStatus& peer) const {
  if (peer.linked) return std::nullopt;
  const auto ended = host.unlinked_for.find(peer.node);
  return ended == host.unlinked_for.end() ? host.running_for : ended->second;
}

std::uint64_t blocks_behind(const NodeStatus& status) {
  chain::Height highest = status.height;
  for (const PeerStatus& peer : status.peers)
    if (peer.linked && peer.tip) highest = std::max(highest, *peer.tip);
  return highest.value - status.height.value;
}

bool is_stalled(const NodeStatus& status) {
  const milliseconds limit =
      std::max(limits::kStalledLeast, limits::kStalledIntervals * status.block_interval);
  return status.oldest_pending && *status.oldest_pending > limit && status.tip_age > limit;
}

std::vector<Warning> find_warnings(const NodeReport& report) {
  Warnings found;
  for (const auto look : {look_at_leader, look_at_evidence, look_at_disk, look_at_certificates,
                          look_at_progress, look_at_links, look_at_lag, look_at_conduct,
                          look_at_clock, look_at_intake, look_at_mining, look_at_programs})
    look(report, found);
  std::ranges::stable_sort(found, std::ranges::greater{}, &Warning::severity);
  return found;
}

}  // namespace eventchain::node
