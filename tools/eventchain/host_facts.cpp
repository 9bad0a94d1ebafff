#include "tools/eventchain/host_facts.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "mining/host_probe.h"
#include "net/asio/certificate_file.h"
#include "net/identity.h"
#include "node/config.h"
#include "node/deployment.h"
#include "node/genesis_json.h"
#include "node/version.h"
#include "store/sqlite/sqlite_light_store.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/store_id_file.h"
#include "tools/eventchain/host_ports.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/tls_probe.h"

namespace eventchain::tools {

namespace fs = std::filesystem;
using node::Config;

namespace {

FileFact look_at_file(const std::string& key, const fs::path& path, bool is_secret) {
  FileFact fact;
  fact.key = key;
  fact.path = path;
  fact.is_secret = is_secret;
  struct stat status {};
  fact.is_there = stat(path.c_str(), &status) == 0;
  fact.is_readable = access(path.c_str(), R_OK) == 0;
  fact.mode = status.st_mode & 07777U;
  fact.owner = status.st_uid;
  fact.group = status.st_gid;
  return fact;
}

std::vector<FileFact> look_at_files(const Config& config) {
  std::vector<FileFact> files;
  const auto look = [&files](const char* key, const fs::path& path, bool is_secret = false) {
    if (!path.empty()) files.push_back(look_at_file(key, path, is_secret));
  };
  look("node.genesis", config.genesis_file);
  look("node.signing_key", config.signing_key, true);
  look("peers.certificate", config.peers_tls.certificate);
  look("peers.key", config.peers_tls.key, true);
  look("peers.ca", config.peers_tls.ca);
  if (config.api_tls) {
    look("api.certificate", config.api_tls_files.certificate);
    look("api.key", config.api_tls_files.key, true);
    look("api.ca", config.api_tls_files.ca);
  }
  look("witness.certificate", config.witness.certificate);
  look("witness.key", config.witness.key, true);
  look("cluster.ca_command", config.ca_command);
  if (!config.ca_command.empty() && access(config.ca_command.c_str(), X_OK) != 0)
    files.back().trouble = "it cannot be run";
  return files;
}

TlsFiles tls_of(const node::TlsFiles& files) {
  return {files.ca, files.certificate, files.key};
}

CertificateFact look_at_certificate(const std::string& use, const node::TlsFiles& files,
                                    const std::string& expected_uri) {
  CertificateFact fact;
  fact.use = use;
  fact.path = files.certificate;
  fact.expected_uri = expected_uri;
  const auto read = net::read_certificate_file(files.certificate);
  if (!read) {
    fact.trouble = "it cannot be read";
    return fact;
  }
  fact.uri = read->uri;
  fact.not_before = read->not_before;
  fact.not_after = read->not_after;
  TlsFiles used = tls_of(files);
  // The API's authority is its clients'; its own certificate may be of another.
  if (use == "api") used.ca.clear();
  fact.trouble = tls_files_trouble(used);
  return fact;
}

struct FileSystemKind {
  long magic;
  const char* name;
  bool is_remote;
  bool is_in_memory;
};
// statfs(2); what is not here is taken for a local disk.
constexpr std::array<FileSystemKind, 10> kFileSystems = {{
    {0x6969, "NFS", true, false},
    {0x517B, "SMB", true, false},
    {0xFE534D42, "SMB", true, false},
    {0xFF534D42, "CIFS", true, false},
    {0x00C36400, "Ceph", true, false},
    {0x01021997, "9p", true, false},
    {0x5346414F, "AFS", true, false},
    {0x0BD00BD0, "Lustre", true, false},
    {0x01021994, "tmpfs", false, true},
    {0x858458F6, "ramfs", false, true},
}};

std::vector<std::chrono::microseconds> measure_syncs(const fs::path& directory) {
  constexpr int kTimes = 9;
  std::vector<std::chrono::microseconds> times;
  std::string name = directory / ".doctor-XXXXXX";
  const int file = mkostemp(name.data(), O_CLOEXEC);
  if (file < 0) return times;
  const std::string page(4096, 'x');
  for (int i = 0; i < kTimes; ++i) {
    const auto before = std::chrono::steady_clock::now();
    const bool done = write(file, page.data(), page.size()) == static_cast<ssize_t>(page.size()) &&
                      fdatasync(file) == 0;
    if (!done) break;
    times.push_back(std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - before));
  }
  close(file);
  unlink(name.c_str());
  return times;
}

DataFact look_at_data(const Config& config) {
  DataFact fact;
  fact.path = config.data_directory;
  fact.reserve_bytes = config.disk_reserve_bytes;
  struct stat status {};
  if (stat(fact.path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return fact;
  fact.is_directory = true;
  fact.mode = status.st_mode & 07777U;
  fact.owner = status.st_uid;
  fact.group = status.st_gid;
  fact.is_writable = access(fact.path.c_str(), W_OK | X_OK) == 0;
  std::error_code error;
  const char* const name = config.light ? store::kLightDatabaseName : store::kDatabaseName;
  fact.has_database = fs::exists(config.data_directory / name, error);
  const auto permit = store::read_store_id(config.data_directory);
  fact.has_permit = permit && permit->has_value();
  const fs::space_info space = fs::space(config.data_directory, error);
  fact.free_bytes = error ? 0 : space.available;
  fact.size_bytes = error ? 0 : space.capacity;
  struct statfs system {};
  if (statfs(fact.path.c_str(), &system) == 0)
    for (const FileSystemKind& kind : kFileSystems)
      if (static_cast<std::uint32_t>(kind.magic) == static_cast<std::uint32_t>(system.f_type)) {
        fact.file_system = kind.name;
        fact.is_remote = kind.is_remote;
        fact.is_in_memory = kind.is_in_memory;
      }
  if (fact.is_writable) fact.syncs = measure_syncs(config.data_directory);
  return fact;
}

ClockFact look_at_clock() {
  timex clock{};
  const int state = adjtimex(&clock);  // asks only
  return {state >= 0, state >= 0 && state != TIME_ERROR && (clock.status & STA_UNSYNC) == 0};
}

bool has_argument(const RunningProgram& program, std::string_view wanted) {
  return std::ranges::find(program.arguments, wanted) != program.arguments.end();
}

// Whether one of its arguments is that file, relative to where it runs.
bool names_file(const RunningProgram& program, const fs::path& file) {
  std::error_code error;
  const fs::path home = fs::read_symlink("/proc/" + program.pid + "/cwd", error);
  for (const std::string& argument : program.arguments) {
    std::string text = argument;
    if (text.starts_with("--config=")) text.erase(0, 9);
    std::error_code gone;
    if (!text.empty() && fs::equivalent(home / text, file, gone) && !gone) return true;
  }
  return false;
}

MinerFact look_at_miner(const Config& config, const fs::path& file) {
  MinerFact fact;
  fact.lends = config.mining_threads > 0;
  fact.is_process = config.mining_run == node::MiningRun::kProcess;
  std::error_code error;
  fact.has_kill_switch =
      !config.mining_kill_switch.empty() && fs::exists(config.mining_kill_switch, error);
  fact.has_cgroups = fs::exists("/sys/fs/cgroup/cgroup.controllers", error) ||
                     fs::exists("/sys/fs/cgroup/unified/cgroup.controllers", error);
  // One with this node's configuration, else any: a miner may have a file of its own.
  for (const RunningProgram& program : running_programs("eventchaind")) {
    if (!has_argument(program, "mine")) continue;
    const bool is_ours = names_file(program, file);
    if (fact.pid.empty() || is_ours) fact.pid = program.pid;
    if (is_ours) break;
  }
  if (fact.pid.empty()) return fact;
  const std::string groups = mining::read_small_file("/proc/" + fact.pid + "/cgroup");
  if (groups.empty()) return fact;
  const auto marks = mining::idle_marks(groups);
  fact.gets_idle_time_alone = std::ranges::any_of(marks, [](const mining::IdleMark& mark) {
    return mining::parse_count(mining::read_small_file(fs::path("/") / mark.path)) == mark.value;
  });
  return fact;
}

std::vector<PeerFact> look_at_peers(const Config& config, const chain::Genesis& genesis,
                                    std::chrono::milliseconds timeout) {
  std::vector<PeerFact> peers;
  std::vector<node::HostPort> places;
  const auto add = [&](const chain::NodeId& id, const std::string& name, node::HostPort place) {
    PeerFact fact;
    fact.name = name;
    fact.address = fmt::format("{}:{}", place.host, place.port);
    fact.expected_uri = net::to_uri(net::NodeIdentity{genesis.trust_domain, genesis.name, id});
    peers.push_back(std::move(fact));
    places.push_back(std::move(place));
  };
  const auto name_of = [&genesis](const chain::NodeId& id) {
    const auto voter = std::ranges::find(genesis.voters, id, &chain::Member::node);
    return voter == genesis.voters.end() ? to_hex(id) : voter->name;
  };
  for (const node::PeerConfig& peer : config.peers)
    if (peer.node != config.node) add(peer.node, name_of(peer.node), peer.address);
  for (const chain::Member& voter : genesis.voters) {
    const bool is_listed =
        std::ranges::find(config.peers, voter.node, &node::PeerConfig::node) != config.peers.end();
    const auto place = node::parse_host_port(voter.peers_address);
    if (voter.node != config.node && !is_listed && place) add(voter.node, voter.name, *place);
  }
  // All at once: hosts that are down take their time.
  std::vector<std::thread> probes;
  for (std::size_t i = 0; i < peers.size(); ++i)
    probes.emplace_back([&, i] {
      const ProbedPeer probed = probe_peer(places[i].host, std::to_string(places[i].port),
                                           tls_of(config.peers_tls), timeout);
      peers[i].trouble = probed.trouble;
      peers[i].uri = probed.uri;
    });
  for (std::thread& probe : probes) probe.join();
  return peers;
}

// Where this host reaches its own API.
std::string own_endpoint(const Config& config) {
  std::string host = config.api_listen.host;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return fmt::format("{}://{}:{}", config.api_tls ? "https" : "http", host, config.api_listen.port);
}

std::optional<ClusterView> look_at_cluster(const DoctorPlan& plan, const Config& config) {
  TlsFiles files = plan.tls;
  if (files.certificate.empty() && config.api_tls) {
    files = tls_of(config.api_tls_files);
    if (files.ca.empty()) files.ca = config.peers_tls.ca;
  }
  std::shared_ptr<const TlsContext> tls;
  if (!files.certificate.empty())
    if (auto made = make_tls_context(files)) tls = *made;
  EndpointPoll poll(tls);
  std::vector<std::string> endpoints = {own_endpoint(config)};
  endpoints.insert(endpoints.end(), plan.endpoints.begin(), plan.endpoints.end());
  const auto answers = poll.round(endpoints, plan.timeout, [](const Polled& first) {
    return endpoints_of(members_in({first}), first.endpoint);
  });
  const bool is_heard =
      std::ranges::any_of(answers, [](const Polled& one) { return one.trouble.empty(); });
  return is_heard ? std::optional(view_cluster(answers)) : std::nullopt;
}

bool answers_itself(const HostFacts& facts) {
  return facts.cluster && std::ranges::any_of(facts.cluster->nodes, [&](const NodeView& node) {
           return node.node == facts.node && node.answers();
         });
}

void look_at_programs(const Config& config, const fs::path& file, HostFacts& facts) {
  std::string pid;
  for (const RunningProgram& program : running_programs("eventchaind"))
    if (!has_argument(program, "mine") && names_file(program, file)) pid = program.pid;
  facts.runs = !pid.empty() || answers_itself(facts);
  const std::pair<const char*, const node::HostPort*> listens[] = {
      {"peers.listen", &config.peers_listen},
      {"api.listen", &config.api_listen},
      {"witness.listen", &config.witness.listen}};
  for (const auto& [key, place] : listens) {
    if (place->host.empty() || place->port == 0) continue;
    PortFact port = look_at_port(key, place->host, place->port);
    // Where processes of others are not shown, the node's own word has to do.
    port.is_ours = pid.empty() || port.holder.empty() ? answers_itself(facts)
                                                      : port.holder.ends_with("(" + pid + ")");
    facts.ports.push_back(std::move(port));
  }
  facts.files_open_max = pid.empty() ? 0 : files_open_max_of(pid);
  facts.is_limit_of_node = facts.files_open_max > 0;
  rlimit limit{};
  if (!facts.is_limit_of_node && getrlimit(RLIMIT_NOFILE, &limit) == 0)
    facts.files_open_max = limit.rlim_cur;
}

}  // namespace

HostFacts gather_facts(const DoctorPlan& plan) {
  HostFacts facts;
  facts.config_file = plan.config;
  facts.version = node::kVersion;
  facts.user = geteuid();
  facts.now = {std::chrono::system_clock::now().time_since_epoch() / std::chrono::milliseconds(1)};
  const auto config = node::load_config(plan.config, {}, plan.settings);
  if (!config) {
    facts.config_trouble = config.error().message;
    return facts;
  }
  facts.node = to_hex(config->node);
  const auto genesis = node::load_genesis(config->genesis_file);
  std::string uri;
  if (!genesis) {
    facts.genesis_trouble = genesis.error().message;
  } else {
    if (const auto checked = node::check_deployment(*config); !checked)
      facts.deployment_trouble = checked.error().message;
    uri = net::to_uri(net::NodeIdentity{genesis->trust_domain, genesis->name, config->node});
  }
  facts.files = look_at_files(*config);
  if (!config->peers_tls.certificate.empty())
    facts.certificates.push_back(look_at_certificate("peers", config->peers_tls, uri));
  if (config->api_tls)
    facts.certificates.push_back(look_at_certificate("api", config->api_tls_files, uri));
  facts.data = look_at_data(*config);
  facts.clock = look_at_clock();
  facts.miner = look_at_miner(*config, plan.config);
  facts.cluster = look_at_cluster(plan, *config);
  look_at_programs(*config, plan.config, facts);
  if (genesis) facts.peers = look_at_peers(*config, *genesis, plan.timeout);
  return facts;
}

}  // namespace eventchain::tools
