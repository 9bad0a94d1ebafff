#pragma once

#include <pthread.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "chain/keys.h"
#include "mining/paced_miner.h"
#include "mining/work_functions.h"
#include "net/asio/mesh.h"
#include "net/http/server.h"
#include "node/api/api.h"
#include "node/api/certificate_command.h"
#include "node/daemon.h"
#include "node/evidence.h"
#include "node/host_watch.h"
#include "node/link_watch.h"
#include "node/log.h"
#include "node/metrics.h"
#include "node/neighbours.h"
#include "node/runtime.h"
#include "node/service_manager.h"
#include "node/version.h"
#include "node/witnessing/setup.h"
#include "store/sqlite/sqlite_light_store.h"
#include "store/sqlite/sqlite_store.h"

namespace eventchain::node {

// What a node consists of. Seams: daemon.cpp starts, reloads and stops them, daemon_parts.cpp makes
// each by the configuration. Private to both.
//
// Members in order of dependency; destroyed in the reverse.
struct Daemon::Parts {
  Parts(const Config& given, std::uint16_t can)
      : config(given),
        feature_level(can),
        log(given.log_level, given.log_format),
        host(given, kVersion),
        neighbours(given.node, given.peers, given.light) {}

  chain::Result<void> start();
  chain::Result<void> open_stores(const chain::StoreId& disk);
  std::unique_ptr<Machine> make_machine(const chain::Salt& seed);
  chain::Result<void> start_api();
  chain::Result<void> start_miner();
  void stop();
  void reload();
  bool is_removed();  // which is why it ends
  chain::Result<void> read_authority();
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

}  // namespace eventchain::node
