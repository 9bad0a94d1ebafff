#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chain/log_witness.h"
#include "chain/members.h"
#include "chain/pending_pool.h"
#include "chain/result.h"
#include "chain/types.h"
#include "mining/governor.h"
#include "mining/work_functions.h"

namespace eventchain::node {

struct HostPort {
  std::string host;  // numeric or name; IPv6 without brackets
  std::uint16_t port = 0;
  bool operator==(const HostPort&) const = default;
};
// "host:port" or "[ipv6]:port".
chain::Result<HostPort> parse_host_port(std::string_view text);

struct TlsFiles {
  std::filesystem::path certificate;
  std::filesystem::path key;
  std::filesystem::path ca;  // who may connect
};

struct PeerConfig {
  chain::NodeId node;
  HostPort address;
};

// Somebody who vouches for this chain's log (WITNESS.md).
struct WitnessPlace {
  chain::NoteVerifier verifier;  // its cosignatures' key
  std::string url;               // add-checkpoint is below it
  std::filesystem::path ca;      // of an https URL; empty: the system's authorities
};
// Who vouches for this chain's log, as far as this node asks.
struct WitnessesConfig {
  std::vector<WitnessPlace> nodes;
  unsigned quorum = 0;  // so many make an event witnessed; 0: a majority of them
  std::chrono::seconds interval{60};
  std::chrono::seconds timeout{10};  // of one request
  [[nodiscard]] std::size_t needed() const { return quorum > 0 ? quorum : nodes.size() / 2 + 1; }
};
// What this node vouches for itself.
struct WitnessConfig {
  std::filesystem::path directory;  // its key and its memory; empty: it is no witness
  HostPort listen;                  // besides the API's listener; without a host none
  bool tls = true;
  std::filesystem::path certificate, key;  // empty: the API's
  std::vector<chain::WitnessedLog> logs;
};

enum class LogFormat : std::uint8_t { kText, kJson };

// Where the miner of a node that lends something is.
enum class MiningRun : std::uint8_t {
  kThreads,  // in the node
  kProcess,  // `eventchaind mine`, which connects to the node
};

// One node's configuration. Defaults are those of the code below; deploy/eventchaind.example.toml
// documents every key.
struct Config {
  chain::NodeId node;
  chain::StoreId store{};  // of this member's disk; zero: the one that genesis names
  std::filesystem::path data_directory;
  std::filesystem::path genesis_file;
  std::filesystem::path signing_key;  // Ed25519, PEM: signs committed blocks
  bool light = false;                 // keeps headers and certificates only, and mines

  HostPort peers_listen;
  TlsFiles peers_tls;
  std::vector<PeerConfig> peers;

  HostPort api_listen;
  bool api_tls = true;
  TlsFiles api_tls_files;  // `ca` may be empty: then clients need no certificate
  unsigned api_threads = 1;
  std::vector<std::string> api_operators;  // clients that may order changes of the cluster

  std::filesystem::path ca_command;  // makes certificates of those who join; empty: none does

  unsigned mining_threads = 255;                             // at most; 0: this node lends nothing
  mining::GovernorSettings mining;                           // but for its threads_max
  mining::RandomXMode randomx = mining::RandomXMode::kAuto;  // where genesis names it
  std::filesystem::path mining_kill_switch;  // nothing is lent while this file is there
  MiningRun mining_run = MiningRun::kThreads;
  std::filesystem::path mining_socket;  // empty: see miner_socket()
  std::string mining_socket_group;      // may mine for the node, too; empty: its own user alone

  std::chrono::milliseconds election_timeout{1000};
  std::chrono::milliseconds heartbeat_interval{100};
  std::uint64_t snapshot_every = 4096;     // applied Raft entries between snapshots
  std::uint64_t snapshot_trailing = 2048;  // Raft entries kept behind one

  WitnessesConfig witnesses;
  WitnessConfig witness;

  chain::PoolLimits pool;
  std::uint64_t disk_reserve_bytes = std::uint64_t{1} << 30;

  std::string log_level = "info";  // debug, info, warning, error
  LogFormat log_format = LogFormat::kText;
};

// Where the node and its miner process meet: mining.socket, or miner.sock in the data directory.
std::filesystem::path miner_socket(const Config& config);

// Settings from outside the file: dotted key -> value as text, e.g. {"api.listen", "..."}.
using Overrides = std::map<std::string, std::string>;

// EVENTCHAIN_API_LISTEN=... -> {"api.listen", ...}; names without a known key are errors.
chain::Result<Overrides> overrides_from_environment(const char* const* environment);

// default < file < environment < flags. Every error names key, line where there is one, and remedy;
// an unknown key names the nearest known one. Relative paths are relative to the file.
chain::Result<Config> load_config(const std::filesystem::path& file, const Overrides& environment,
                                  const Overrides& flags);
// The same from text, without touching the file system; `name` is for messages.
chain::Result<Config> parse_config(std::string_view toml, const std::string& name,
                                   const std::filesystem::path& base, const Overrides& environment,
                                   const Overrides& flags);
// The same for a miner process, which needs [mining] alone, in the node's file or one of its own.
chain::Result<Config> load_miner_config(const std::filesystem::path& file,
                                        const Overrides& environment, const Overrides& flags);
chain::Result<Config> parse_miner_config(std::string_view toml, const std::string& name,
                                         const std::filesystem::path& base,
                                         const Overrides& environment, const Overrides& flags);

}  // namespace eventchain::node
