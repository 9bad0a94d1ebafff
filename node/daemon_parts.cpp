#include "node/daemon_parts.h"

#include <fmt/format.h>

#include <fstream>
#include <utility>

#include "node/core.h"
#include "node/daemon_options.h"
#include "node/deployment.h"
#include "node/light_core.h"
#include "node/mining_setup.h"
#include "store/sqlite/sqlite_light_reader.h"
#include "store/sqlite/sqlite_reader.h"

namespace eventchain::node {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

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
  // For the server's threads, the one that makes work proofs, and two more.
  auto readable = store::open_reader(database, genesis, config.api_threads + 3);
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

Result<void> Daemon::Parts::read_authority() {
  auto text = read_text(config.peers_tls.ca);
  if (!text) return tl::unexpected(text.error());
  const std::lock_guard lock(mutex);
  peers_authority = std::move(*text);
  return {};
}

}  // namespace eventchain::node
