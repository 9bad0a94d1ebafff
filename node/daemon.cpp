#include "node/daemon.h"

#include <fmt/format.h>
#include <pthread.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <mutex>
#include <string>
#include <utility>

#include "chain/features.h"
#include "chain/keys.h"
#include "mining/paced_miner.h"
#include "mining/work_functions.h"
#include "net/asio/mesh.h"
#include "net/http/server.h"
#include "node/api/api.h"
#include "node/api/certificate_command.h"
#include "node/core.h"
#include "node/daemon_options.h"
#include "node/deployment.h"
#include "node/evidence_file.h"
#include "node/genesis_json.h"
#include "node/host_watch.h"
#include "node/light_core.h"
#include "node/link_watch.h"
#include "node/log.h"
#include "node/metrics.h"
#include "node/mining_setup.h"
#include "node/neighbours.h"
#include "node/runtime.h"
#include "node/service_manager.h"
#include "node/signals.h"
#include "node/version.h"
#include "node/witnessing/setup.h"
#include "store/sqlite/sqlite_light_reader.h"
#include "store/sqlite/sqlite_light_store.h"
#include "store/sqlite/sqlite_reader.h"
#include "store/sqlite/sqlite_store.h"

namespace eventchain::node {

namespace {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

// A certificate in PEM form is a few thousand octets.
Result<std::string> read_text(const std::filesystem::path& file) {
  constexpr std::size_t kTextBytesMax = 64 * 1024;
  std::ifstream stream(file, std::ios::binary);
  std::string text(kTextBytesMax + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.empty() || text.size() > kTextBytesMax)
    return fail(ErrorCode::kIo, fmt::format("configuration: peers.ca: {} cannot be read, or is "
                                            "larger than 64 KiB",
                                            file.string()));
  return text;
}

}  // namespace

// Members in order of dependency; destroyed in the reverse.
struct Daemon::Parts {
  Parts(const Config& given, std::uint16_t can)
      : config(given),
        feature_level(can),
        log(given.log_level, given.log_format),
        host(given, kVersion),
        neighbours(given.node, given.peers, given.light) {}

  Result<void> start();
  Result<void> open_stores(const chain::StoreId& disk);
  std::unique_ptr<Machine> make_machine(const chain::Salt& seed);
  Result<void> start_api();
  Result<void> start_miner();
  void stop();
  void reload();
  Result<void> read_authority();
  void keep(const Evidence& evidence);
  void read_certificate(const char* use);
  HostState host_state() const;
  std::string render_metrics(const NodeStatus& status);

  const Config config;
  const std::uint16_t feature_level;
  ServiceManager manager = ServiceManager::from_environment();
  Log log;
  HostWatch host;
  Metrics metrics;
  Neighbours neighbours;  // of the thread that starts, then of the core's
  chain::Genesis genesis;
  std::unique_ptr<chain::Ed25519> signing;
  mining::Work work;
  // One of the two, by the kind of node.
  std::unique_ptr<store::SqliteStore> store;
  std::unique_ptr<store::SqliteLightStore> light_store;
  std::unique_ptr<store::ChainReader> reader;
  std::unique_ptr<Runtime> runtime;
  std::unique_ptr<LinkWatch> links;
  std::unique_ptr<api::CertificateCommand> certificates;
  std::unique_ptr<Witnessing> witnessing;
  std::unique_ptr<api::Api> api;
  std::unique_ptr<mining::LendingMiner> miner;
  std::unique_ptr<mining::PacedMiner> pacer;  // instead of it on a chain without work
  std::unique_ptr<net::Mesh> mesh;
  std::unique_ptr<net::http::Server> server;

  std::mutex mutex;
  std::string failure;  // guarded by mutex, like `end`
  RunEnd end = RunEnd::kDiskFailed;
  std::string peers_authority;  // PEM; guarded by mutex
  const pthread_t waiter = pthread_self();
};

std::string Daemon::Parts::render_metrics(const NodeStatus& status) {
  MetricsSample sample;
  sample.status = status;
  sample.runtime = runtime->counters();
  if (mesh) sample.mesh = mesh->counters();
  if (miner) sample.lending = miner->report();
  if (server) sample.http_connections = server->connections();
  if (const Witnesses* witnesses = witnessing->witnesses()) sample.witnesses = witnesses->report();
  if (const Cosigner* cosigner = witnessing->cosigner()) sample.cosigner = cosigner->report();
  sample.age = runtime->age();
  sample.host = host_state();
  return metrics.render(sample);
}

Result<void> Daemon::Parts::start_api() {
  api::ApiOptions options;
  options.genesis = genesis;
  options.self = config.node;
  options.is_light = config.light;
  options.host = [this] { return host_state(); };
  options.metrics = [this](const NodeStatus& status) { return render_metrics(status); };
  options.order_right = !config.api_tls                   ? api::OrderRight::kEverybody
                        : config.api_tls_files.ca.empty() ? api::OrderRight::kNobody
                                                          : api::OrderRight::kOperators;
  options.operators.insert(config.api_operators.begin(), config.api_operators.end());
  if (!config.peers_tls.ca.empty()) {
    if (auto read = read_authority(); !read) return read;
    options.peers_ca = [this] {
      const std::lock_guard lock(mutex);
      return peers_authority;
    };
  }
  if (!config.ca_command.empty()) {
    api::CertificateCommandOptions command;
    command.program = config.ca_command;
    certificates = std::make_unique<api::CertificateCommand>(std::move(command));
    options.issue_certificate = [this](api::CertificateWanted wanted,
                                       api::CertificateCommand::Done done) {
      certificates->issue(std::move(wanted), std::move(done));
    };
  }
  options.lending = miner.get();
  options.witnesses = witnessing->witnesses();
  options.cosigner = witnessing->cosigner();
  api = std::make_unique<api::Api>(std::move(options), *runtime, *reader);
  net::http::ServerOptions server_options;
  server_options.address = config.api_listen.host;
  server_options.port = config.api_listen.port;
  server_options.threads = config.api_threads;
  if (config.api_tls) {
    server_options.tls = net::http::TlsOptions{config.api_tls_files.certificate,
                                               config.api_tls_files.key, config.api_tls_files.ca};
  }
  server_options.observer = [this](const net::http::Exchange& exchange) {
    metrics.observe_http(exchange.label, exchange.status, exchange.duration);
  };
  auto started = net::http::Server::start(
      std::move(server_options),
      [this](net::http::Request request, std::shared_ptr<net::http::Responder> responder) {
        api->handle(std::move(request), std::move(responder));
      });
  if (!started) return tl::unexpected(started.error());
  server = std::move(*started);
  if (config.api_tls) read_certificate("api");
  return {};
}

Result<void> Daemon::Parts::open_stores(const chain::StoreId& disk) {
  if (config.light) {
    const std::string database = config.data_directory / store::kLightDatabaseName;
    auto opened = store::open_light_store(database, genesis, disk);
    if (!opened) return tl::unexpected(opened.error());
    light_store = std::move(*opened);
    auto readable = store::open_light_reader(database, genesis);
    if (!readable) return tl::unexpected(readable.error());
    reader = std::move(*readable);
    return {};
  }
  const std::string database = config.data_directory / store::kDatabaseName;
  auto opened = store::open_store(database, genesis, disk);
  if (!opened) return tl::unexpected(opened.error());
  store = std::move(*opened);
  auto readable = store::open_reader(database, genesis, config.api_threads + 2);
  if (!readable) return tl::unexpected(readable.error());
  reader = std::move(*readable);
  return {};
}

std::unique_ptr<Machine> Daemon::Parts::make_machine(const chain::Salt& seed) {
  // Without threads of its own a light member only follows.
  if (config.light)
    return std::make_unique<LightCore>(
        LightOptions{config.node, config.mining_threads > 0, signing.get(), feature_level,
                     work.digest.get()},
        *light_store);
  CoreOptions options = core_options(config, genesis, seed);
  options.signing = signing.get();
  options.digest = work.digest.get();
  options.feature_level = feature_level;
  return std::make_unique<NodeCore>(options, *store);
}

Result<void> Daemon::Parts::start() {
  static_cast<void>(manager.tell("STATUS=opens its files\n"));
  auto loaded = load_genesis(config.genesis_file);
  if (!loaded) return tl::unexpected(loaded.error());
  genesis = std::move(*loaded);
  auto checked = check_membership(config, genesis);
  if (checked) checked = check_kind(config, genesis);
  if (!checked) return checked;

  auto key = load_signing_key(config, genesis);
  if (!key) return tl::unexpected(key.error());
  signing = std::move(*key);

  const auto disk = find_store(config, genesis);
  if (!disk) return tl::unexpected(disk.error());
  auto opened = open_stores(*disk);
  if (!opened) return opened;
  // The core would refuse it too, but only after clients and peers had been let in.
  const auto in_force = reader->members(reader->tip().height.next());
  if (!in_force) return tl::unexpected(in_force.error());
  if (auto can = chain::check_program(**in_force, feature_level); !can) {
    end = RunEnd::kOutdated;
    return can;
  }

  auto set_up = mining::set_up_work(genesis, {config.randomx, [this](const std::string& text) {
                                                log.write(Notice::Level::kInfo, text);
                                              }});
  if (!set_up) return tl::unexpected(set_up.error());
  work = std::move(*set_up);

  RuntimeOptions options;
  options.disk = config.data_directory;
  options.disk_reserve_bytes = config.disk_reserve_bytes;
  options.log = [this](const Notice& notice) { log.write(notice.level, notice.text); };
  options.keep_evidence = [this](const Evidence& evidence) { keep(evidence); };
  options.make_machine = [this, seed = draw_salt()] { return make_machine(seed); };
  options.members_changed = [this](const MembersChanged& changed) {
    if (mesh) mesh->set_peers(neighbours.table(*changed.members, changed.as_of, changed.leaving));
  };
  if (work.slow)
    options.share_checks =
        ShareChecksOptions{genesis,      config.node,          work.slow, config.light ? 1U : 2U,
                           config.light, reader->tip().height, *in_force};
  runtime = std::make_unique<Runtime>(std::move(options),
                                      config.light ? light_store->turns() : store->turns());
  if (auto mining = start_miner(); !mining) return mining;
  // Also where there are no peers yet: others may join.
  if (!config.peers_listen.host.empty()) {
    auto linking = mesh_options(config, genesis, *disk, feature_level, log);
    linking.table = neighbours.table(**in_force, reader->tip().height);
    links = std::make_unique<LinkWatch>(*runtime);
    mesh = std::make_unique<net::Mesh>(std::move(linking), *links);
  }
  runtime->attach(mesh.get(), pacer ? static_cast<mining::Miner*>(pacer.get()) : miner.get());
  runtime->start([this](RunEnd why, std::string reason) {
    {
      const std::lock_guard lock(mutex);
      end = why;
      failure = std::move(reason);
    }
    pthread_kill(waiter, SIGTERM);
  });
  if (mesh) {
    auto linked = mesh->start();
    if (!linked) return linked;
    read_certificate("peers");
  }
  auto witnessed =
      Witnessing::make({config, genesis, signing->public_key(), *runtime, *reader, log, metrics});
  if (!witnessed) return tl::unexpected(witnessed.error());
  witnessing = std::move(*witnessed);
  if (auto serving = start_api(); !serving) return serving;
  return witnessing->start();
}

Result<void> Daemon::Parts::read_authority() {
  auto text = read_text(config.peers_tls.ca);
  if (!text) return tl::unexpected(text.error());
  const std::lock_guard lock(mutex);
  peers_authority = std::move(*text);
  return {};
}

// `use` as CertificateState has it; those files have just been loaded.
void Daemon::Parts::read_certificate(const char* use) {
  const bool is_api = std::string_view(use) == "api";
  host.read_certificate(use, (is_api ? config.api_tls_files : config.peers_tls).certificate);
}

HostState Daemon::Parts::host_state() const {
  HostState state = host.state();
  if (links) state.unlinked_for = links->unlinked_for();
  return state;
}

// Certificates run out while a node runs. Of the settings none is read again.
void Daemon::Parts::reload() {
  const auto tell = [this](const char* whose, const Result<void>& loaded) {
    if (loaded)
      return log.write(Notice::Level::kInfo,
                       fmt::format("certificates were read again for={}", whose));
    log.write(Notice::Level::kError,
              fmt::format("certificates could not be read again, those from before stay in use "
                          "for={} why=\"{}\"",
                          whose, loaded.error().message));
  };
  if (mesh) {
    auto loaded = mesh->reload();
    if (loaded) read_certificate("peers");
    if (loaded) loaded = read_authority();
    tell("peers", loaded);
  }
  if (config.api_tls) {
    const auto loaded = server->reload_tls();
    if (loaded) read_certificate("api");
    tell("clients", loaded);
  }
  if (witnessing->cosigner() != nullptr) tell("logs", witnessing->reload_tls());
}

void Daemon::Parts::keep(const Evidence& evidence) {
  const auto file =
      keep_evidence(std::filesystem::path(config.data_directory) / kEvidenceFolder, evidence);
  log.write(
      Notice::Level::kError,
      file ? fmt::format("evidence of two histories is kept file={}", file->string())
           : fmt::format("evidence of two histories is lost why=\"{}\"", file.error().message));
}

Result<void> Daemon::Parts::start_miner() {
  if (config.mining_threads == 0) return {};
  const auto found = [this](const mining::ShareFound& share) { runtime->share_found(share); };
  if (genesis.work_function == chain::WorkFunction::kNone) {
    log.write(
        Notice::Level::kWarning,
        "mining: this chain has no proof of work, so that nothing but the members' word keeps "
        "its history; blocks are paced by the clock");
    pacer =
        std::make_unique<mining::PacedMiner>(std::chrono::milliseconds(genesis.interval_ms), found);
    return {};
  }
  auto made = make_miner(config, genesis, work.search, feature_level, log, found);
  if (!made) return tl::unexpected(made.error());
  miner = std::move(*made);
  return {};
}

void Daemon::Parts::stop() {
  // Clients first, so that nobody is promised anything while the rest goes down.
  if (server) server->stop();
  if (witnessing) witnessing->stop();
  if (certificates) certificates->stop();
  if (mesh) mesh->stop();
  if (runtime) runtime->stop();
  if (miner) miner->stop();
}

Daemon::Daemon(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Daemon::~Daemon() {
  parts_->stop();
}

tl::expected<std::unique_ptr<Daemon>, Daemon::StartFailure> Daemon::start(
    const Config& config, std::uint16_t feature_level) {
  // From here on a failed start stops whatever had started.
  std::unique_ptr<Daemon> daemon(new Daemon(std::make_unique<Parts>(config, feature_level)));
  auto started = daemon->parts_->start();
  if (!started) {
    const bool is_outdated = daemon->parts_->end == RunEnd::kOutdated;
    return tl::unexpected(StartFailure{started.error(), is_outdated ? kExitOutdated : kExitFailed});
  }
  daemon->parts_->log.write(Notice::Level::kInfo,
                            fmt::format("started version={} node={} chain={} peers={}:{} api={}:{}",
                                        kVersion, to_hex(config.node), daemon->parts_->genesis.name,
                                        config.peers_listen.host, config.peers_listen.port,
                                        config.api_listen.host, daemon->parts_->server->port()));
  return daemon;
}

int Daemon::run() {
  ServiceTalk talk(parts_->manager, *parts_->runtime);
  while (true) {
    talk.step();
    const auto told = wait_for_signal(talk.every());
    if (told == Told::kEnd) break;
    if (told == Told::kReload) parts_->reload();
  }
  static_cast<void>(parts_->manager.tell("STOPPING=1\nSTATUS=stops\n"));
  parts_->stop();
  const std::lock_guard lock(parts_->mutex);
  if (parts_->failure.empty()) {
    parts_->log.write(Notice::Level::kInfo, "stopped");
    return kExitOk;
  }
  const bool is_disk = parts_->end == RunEnd::kDiskFailed;
  parts_->log.write(Notice::Level::kError, (is_disk ? "the store failed: " : "") + parts_->failure);
  switch (parts_->end) {
    case RunEnd::kDiskFailed:
      return kExitDisk;
    case RunEnd::kRemoved:
      return kExitRemoved;
    case RunEnd::kRolledBack:
      return kExitRolledBack;
    case RunEnd::kOutdated:
      return kExitOutdated;
    case RunEnd::kWrongKind:
      return kExitWrongKind;
  }
  return kExitFailed;
}

}  // namespace eventchain::node
