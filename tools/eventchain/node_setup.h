#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "chain/genesis.h"
#include "chain/result.h"

namespace eventchain::tools {

struct GenesisPlan {
  std::filesystem::path authority;  // directory made by `pki init`: trust domain and chain name
  std::vector<std::string> voters;  // names issued there, in the order of their slots
  // NAME=HOST:PORT: where that voter is reached by other nodes and by clients; may be left out.
  std::vector<std::string> peers_addresses;
  std::vector<std::string> api_addresses;
  std::string work = "sha256";  // chain/genesis.h has the names
  std::uint32_t interval_ms = 10'000;
  std::uint32_t heartbeat_ms = 60'000;
  // Not said: what suits the work function.
  std::optional<std::uint16_t> share_count;
  std::optional<std::uint64_t> first_hashes;    // expected for each share of block 1
  std::optional<std::uint64_t> easiest_hashes;  // never fewer than these
  chain::UnixMillis created;
};
chain::Result<chain::Genesis> plan_genesis(const GenesisPlan& plan);

struct NodePlan {
  std::filesystem::path home;  // directory made by `pki issue --node`
  std::filesystem::path genesis;
  std::filesystem::path data;
  std::filesystem::path file;      // of the configuration
  std::string peers_listen;        // HOST:PORT
  std::string api_listen;          // HOST:PORT
  std::vector<std::string> peers;  // NODE-ID@HOST:PORT, or DIRECTORY@HOST:PORT of an issued node
  bool light = false;              // headers and certificates only
  bool api_tls = true;
  bool api_open = false;               // clients need no certificate
  std::vector<std::string> operators;  // clients that may order changes of the cluster
  // Of mining, what differs from the node's own defaults.
  std::optional<unsigned> mining_threads;
  std::optional<unsigned> mining_duty_percent;
  std::optional<unsigned> mining_cap_percent;
};
// The text of the node's TOML file, checked as the node itself will check it.
chain::Result<std::string> plan_node(const NodePlan& plan);
// Makes the data directory with the permit for the member's first database. Refused where a node
// has run.
chain::Result<void> prepare_data(const NodePlan& plan);
// The permit for a member's first database (store/sqlite/store_id_file.h). It belongs to the owner
// of the data directory: root may set up what another user runs.
chain::Result<void> write_permit(const std::filesystem::path& data, const chain::StoreId& store);

}  // namespace eventchain::tools
