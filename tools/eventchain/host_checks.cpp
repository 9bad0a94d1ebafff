#include "tools/eventchain/host_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tools/eventchain/cluster_text.h"
#include "tools/eventchain/json_text.h"

namespace eventchain::tools {

namespace {

using Checks = std::vector<HostCheck>;
using enum CheckOutcome;

constexpr std::int64_t kDayMs = 24LL * 3600 * 1000;

void check_configuration(const HostFacts& facts, Checks& out) {
  if (!facts.config_trouble.empty())
    return out.push_back({"configuration", kFailure, facts.config_trouble,
                          "correct it; eventchaind --check-config --config FILE says the same"});
  out.push_back({"configuration", kOk, facts.config_file + " can be used"});
  if (!facts.genesis_trouble.empty())
    return out.push_back({"genesis", kFailure, facts.genesis_trouble,
                          "put the chain's genesis.json there, the same file as on every node"});
  if (!facts.deployment_trouble.empty())
    return out.push_back({"configuration", kFailure, facts.deployment_trouble,
                          "use the files that were made for this member"});
  out.push_back({"genesis", kOk, "it fits this node's id, disk and signing key"});
}

void check_file(const FileFact& file, const DataFact& data, Checks& out) {
  const std::string name = fmt::format("{}: {}", file.key, file.path);
  if (!file.is_there)
    return out.push_back(
        {"files", kFailure, name + " is not there", "put it there, or correct the configuration"});
  if (file.is_secret && (file.mode & 0007U) != 0)
    return out.push_back(
        {"files", kFailure,
         fmt::format("{} has permissions {:04o}: any user of this host can have it", name,
                     file.mode),
         "chmod 600 " + file.path + ", and have a new one made: it may be copied"});
  // The node's own group is as good as its user.
  if (file.is_secret && (file.mode & 0070U) != 0 && file.group != data.group)
    out.push_back({"files", kWarning,
                   fmt::format("{} has permissions {:04o}: its group can have it", name, file.mode),
                   "chmod 600 " + file.path});
  if (file.is_secret && file.owner != data.owner && file.owner != 0)
    out.push_back(
        {"files", kWarning,
         fmt::format("{} belongs to user {}, the data to user {}", name, file.owner, data.owner),
         "have it belong to the user that eventchaind runs as"});
  if (!file.is_readable)
    return out.push_back({"files", kWarning, name + " cannot be read by you, so it was not checked",
                          "run the doctor as root, or as the user that eventchaind runs as"});
  if (!file.trouble.empty())
    out.push_back({"files", kFailure, name + ": " + file.trouble, "put the right file there"});
}

void check_files(const HostFacts& facts, Checks& out) {
  const std::size_t before = out.size();
  for (const FileFact& file : facts.files) check_file(file, facts.data, out);
  if (out.size() == before && !facts.files.empty())
    out.push_back({"files", kOk,
                   fmt::format("{} are there, and secret ones are secret", facts.files.size())});
}

void check_certificates(const HostFacts& facts, Checks& out) {
  const std::string remedy =
      "issue a new one (eventchain pki issue), put it in its place and send eventchaind SIGHUP";
  for (const CertificateFact& one : facts.certificates) {
    const std::string name = fmt::format("for {}: {}", one.use, one.path);
    const std::int64_t left = one.not_after.value - facts.now.value;
    if (!one.trouble.empty())
      out.push_back({"certificates", kFailure, name + ": " + one.trouble, remedy});
    else if (one.use == "peers" && one.uri != one.expected_uri)
      out.push_back({"certificates", kFailure,
                     fmt::format("{} names {}, but this node is {}", name,
                                 one.uri.empty() ? "nobody" : one.uri, one.expected_uri),
                     "use the certificate that was made for this node"});
    else if (left <= 0)
      out.push_back({"certificates", kFailure, name + " has expired", remedy});
    else if (one.not_before.value > facts.now.value)
      out.push_back({"certificates", kFailure, name + " is not valid yet by this host's clock",
                     "see whether the clock is right"});
    else
      out.push_back({"certificates", left < 30 * kDayMs ? kWarning : kOk,
                     fmt::format("{} is valid for {} days", name, left / kDayMs),
                     left < 30 * kDayMs ? remedy : ""});
  }
}

void check_data(const HostFacts& facts, Checks& out) {
  const DataFact& data = facts.data;
  if (!data.is_directory)
    return out.push_back({"data", kFailure, data.path + " is no directory that can be seen",
                          "make it with eventchain config init or cluster join; a disk that was "
                          "lost makes a new member"});
  if ((data.mode & 0002U) != 0)
    out.push_back({"data", kFailure, fmt::format("{} can be written by any user", data.path),
                   "chmod 750 " + data.path});
  if (!data.has_database && !data.has_permit)
    out.push_back({"data", kFailure,
                   data.path + " holds neither a database nor the permit for a first one",
                   "if this disk is new, remove the member and let it join anew: a voter that "
                   "forgot its votes could vote twice"});
  if (data.is_remote)
    out.push_back(
        {"data", kFailure,
         fmt::format("{} is on {}, a file system of another host", data.path, data.file_system),
         "use a local disk: locks and fsync are not to be trusted there"});
  if (data.is_in_memory)
    out.push_back(
        {"data", kWarning,
         fmt::format("{} is on {}: it is lost when the host restarts", data.path, data.file_system),
         "use a disk, unless this is a trial"});
  if (data.free_bytes < data.reserve_bytes)
    out.push_back({"data", kFailure,
                   fmt::format("{} free, below disk.reserve_bytes of {}: no events are taken in",
                               bytes_text(data.free_bytes), bytes_text(data.reserve_bytes)),
                   "make room, or enlarge the file system"});
  else
    out.push_back(
        {"data", data.free_bytes < 2 * data.reserve_bytes ? kWarning : kOk,
         fmt::format("{} of {} free", bytes_text(data.free_bytes), bytes_text(data.size_bytes)),
         data.free_bytes < 2 * data.reserve_bytes ? "make room soon" : ""});
  if (data.syncs.empty())
    return out.push_back({"data", kOk, "fsync was not measured: you may not write there"});
  std::vector<std::chrono::microseconds> sorted = data.syncs;
  std::ranges::sort(sorted);
  const double median = static_cast<double>(sorted[sorted.size() / 2].count()) / 1000;
  const double worst = static_cast<double>(sorted.back().count()) / 1000;
  constexpr double kSlowMs = 50;
  out.push_back(
      {"data", median > kSlowMs ? kWarning : kOk,
       fmt::format("fsync takes {:.1f} ms, {:.1f} ms at worst of {}", median, worst, sorted.size()),
       median > kSlowMs ? "every promise waits for it: use a faster disk, or raise "
                          "consensus.election_timeout_ms far above it"
                        : ""});
}

void check_port(const PortFact& port, bool runs, Checks& out) {
  const std::string name = fmt::format("{} {}", port.key, port.address);
  const std::string holder = port.holder.empty() ? "another program" : port.holder;
  switch (port.state) {
    case PortFact::State::kFree:
      return out.push_back(
          {"ports", runs ? kFailure : kOk,
           name + (runs ? " is not listened on, though eventchaind runs" : " is free"),
           runs ? "see its log: it may have been started with other settings" : ""});
    case PortFact::State::kTaken:
      if (port.is_ours) return out.push_back({"ports", kOk, name + " is this node's"});
      return out.push_back({"ports", kFailure, fmt::format("{} is taken by {}", name, holder),
                            "stop that, or choose another port"});
    case PortFact::State::kNoSuchAddress:
      return out.push_back({"ports", kFailure, name + " is no address of this host",
                            "name one of its addresses, or 0.0.0.0"});
    case PortFact::State::kDenied:
      return out.push_back({"ports", kFailure, name + " may not be listened on by this user",
                            "choose a port above 1023"});
  }
}

void check_peers(const HostFacts& facts, Checks& out) {
  for (const PeerFact& peer : facts.peers) {
    const std::string name = fmt::format("{} at {}", peer.name, peer.address);
    if (!peer.trouble.empty())
      out.push_back({"peers", kWarning, fmt::format("{}: {}", name, peer.trouble),
                     "see whether it runs and whether a firewall is in the way"});
    else if (peer.uri != peer.expected_uri)
      out.push_back({"peers", kFailure,
                     fmt::format("{} shows the certificate of {}, not of {}", name,
                                 peer.uri.empty() ? "nobody" : peer.uri, peer.expected_uri),
                     "correct the address, or see who answers there"});
    else
      out.push_back({"peers", kOk, name + " answers and is who it should be"});
  }
}

// This host's clock against what most of the other nodes' say.
void compare_clocks(const HostFacts& facts, Checks& out) {
  std::vector<std::chrono::milliseconds> others;
  if (facts.cluster)
    for (const NodeView& node : facts.cluster->nodes)
      if (node.clock_from_here && node.node != facts.node) others.push_back(*node.clock_from_here);
  if (others.empty()) return;
  std::ranges::sort(others);
  const std::chrono::milliseconds ahead = -others[others.size() / 2];
  constexpr std::chrono::milliseconds kApart{1000};
  const bool is_off = std::chrono::abs(ahead) > kApart;
  out.push_back({"clock", is_off ? kFailure : kOk,
                 fmt::format("this host's clock is {:+.1f} s from the other nodes'",
                             static_cast<double>(ahead.count()) / 1000),
                 is_off ? "set it, and see why nothing keeps it: wrong dates stay on blocks for "
                          "ever"
                        : ""});
}

void check_clock(const HostFacts& facts, Checks& out) {
  compare_clocks(facts, out);
  if (!facts.clock.is_known)
    return out.push_back({"clock", kWarning, "the kernel does not tell whether it is synchronised",
                          "see timedatectl"});
  out.push_back({"clock", facts.clock.is_synchronised ? kOk : kWarning,
                 facts.clock.is_synchronised ? "the kernel says that it is synchronised"
                                             : "the kernel says that nothing synchronises it",
                 facts.clock.is_synchronised ? "" : "run chrony or systemd-timesyncd"});
}

void check_miner(const HostFacts& facts, Checks& out) {
  const MinerFact& miner = facts.miner;
  if (!miner.lends)
    return out.push_back({"mining", kOk, "this node lends nothing (mining.threads)"});
  if (miner.has_kill_switch)
    out.push_back({"mining", kWarning, "nothing is lent while the kill switch is there",
                   "remove the file that mining.kill_switch names"});
  if (!miner.has_cgroups)
    return out.push_back({"mining", kWarning,
                          "this host has no unified cgroup hierarchy: mining cannot be given idle "
                          "time alone",
                          "boot with systemd.unified_cgroup_hierarchy=1"});
  if (!miner.is_process)
    return out.push_back({"mining", kWarning,
                          "it mines inside the node, beside other services as their equal, so it "
                          "limits itself",
                          "mining.run = \"process\", and the miner's unit with CPUWeight=idle"});
  if (miner.pid.empty())
    return out.push_back({"mining", facts.runs ? kWarning : kOk, "no miner process runs",
                          facts.runs ? "systemctl start eventchain-miner" : ""});
  if (!miner.gets_idle_time_alone)
    return out.push_back(
        {"mining", kWarning, "the cgroup of the miner cannot be read", "run the doctor as root"});
  out.push_back({"mining", *miner.gets_idle_time_alone ? kOk : kFailure,
                 *miner.gets_idle_time_alone
                     ? "the miner's cgroup gets idle processor time alone"
                     : "the miner's cgroup competes with the host's services",
                 *miner.gets_idle_time_alone ? "" : "set CPUWeight=idle in the miner's unit"});
}

void check_limits(const HostFacts& facts, Checks& out) {
  // 1,024 clients, 160 links, and the store's files.
  constexpr std::uint64_t kWanted = 4096;
  const bool is_low = facts.files_open_max < kWanted;
  // What a shell may do says nothing about the unit.
  if (!facts.is_limit_of_node && is_low) return;
  out.push_back({"limits", is_low ? kWarning : kOk,
                 fmt::format("{} files may be open at once", facts.files_open_max),
                 is_low ? "LimitNOFILE=65536 in the unit" : ""});
}

void check_node(const HostFacts& facts, Checks& out) {
  const NodeView* self = nullptr;
  if (facts.cluster) {
    const auto found = std::ranges::find(facts.cluster->nodes, facts.node, &NodeView::node);
    if (found != facts.cluster->nodes.end() && found->answers()) self = &*found;
  }
  if (self == nullptr)
    return out.push_back(
        {"node", facts.runs ? kFailure : kWarning,
         facts.runs ? "eventchaind runs, but its API gives no answer" : "eventchaind does not run",
         facts.runs ? "see its log" : "start it: systemctl start eventchain"});
  const std::string version = text_of(self->report, "version");
  out.push_back(
      {"node", version == facts.version ? kOk : kWarning,
       fmt::format("eventchaind {} runs, feature level {} of the cluster's {}", version,
                   text_of(self->report, "program_level"), text_of(self->report, "feature_level")),
       version == facts.version
           ? ""
           : fmt::format("this program is {}: restart eventchaind, if it was upgraded",
                         facts.version)});
  for (const ClusterWarning& warning : facts.cluster->warnings) {
    // Clocks are compared above, without this host's own node.
    if (warning.severity == "notice" || warning.code == "clock" ||
        (!warning.node.empty() && warning.node != self->name))
      continue;
    out.push_back({"node", warning.severity == "critical" ? kFailure : kWarning, warning.text,
                   warning.remedy});
  }
}

}  // namespace

const char* to_string(CheckOutcome outcome) {
  switch (outcome) {
    case kOk:
      return "ok";
    case kWarning:
      return "warn";
    case kFailure:
      return "FAIL";
  }
  return "";
}

Checks judge(const HostFacts& facts) {
  Checks checks;
  check_configuration(facts, checks);
  if (!facts.config_trouble.empty()) return checks;
  check_files(facts, checks);
  check_certificates(facts, checks);
  check_data(facts, checks);
  for (const PortFact& port : facts.ports) check_port(port, facts.runs, checks);
  check_peers(facts, checks);
  check_clock(facts, checks);
  check_miner(facts, checks);
  check_limits(facts, checks);
  check_node(facts, checks);
  return checks;
}

}  // namespace eventchain::tools
