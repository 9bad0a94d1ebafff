#include "node/daemon_options.h"

#include <string>

#include "node/version.h"

namespace eventchain::node {

CoreOptions core_options(const Config& config, const chain::Genesis& genesis,
                         const chain::Salt& seed) {
  CoreOptions options;
  options.self = config.node;
  options.genesis = genesis;
  for (std::size_t i = 0; i < sizeof(options.seed); ++i)
    options.seed = (options.seed << 8) | seed.octets[i];
  options.election_timeout = config.election_timeout;
  options.heartbeat_interval = config.heartbeat_interval;
  options.snapshot_every = config.snapshot_every;
  options.snapshot_trailing = config.snapshot_trailing;
  options.pool = config.pool;
  // Without threads of its own a node still checks and collects the others' shares.
  options.mines = config.mining_threads > 0;
  return options;
}

net::MeshOptions mesh_options(const Config& config, const chain::Genesis& genesis,
                              const chain::StoreId& disk, std::uint16_t feature_level, Log& log) {
  net::MeshOptions options;
  options.listen_host = config.peers_listen.host;
  options.listen_port = config.peers_listen.port;
  options.certificate_file = config.peers_tls.certificate;
  options.key_file = config.peers_tls.key;
  options.ca_file = config.peers_tls.ca;
  options.trust_domain = genesis.trust_domain;
  options.chain_name = genesis.name;
  options.self = config.node;
  options.store = disk;
  options.chain = chain::chain_id(genesis);
  options.software = kVersion;
  options.feature_level = feature_level;
  options.seed = chain::FixedBytesHash()(config.node);
  options.log = [&log](net::LogLevel level, const std::string& text) {
    switch (level) {
      case net::LogLevel::kDebug:
        return log.write(Notice::Level::kDebug, text);
      case net::LogLevel::kInfo:
        return log.write(Notice::Level::kInfo, text);
      case net::LogLevel::kWarning:
        return log.write(Notice::Level::kWarning, text);
    }
  };
  return options;
}

}  // namespace eventchain::node
