#include "node/deployment.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "node/genesis_json.h"
#include "node/witnessing/setup.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/sqlite_witness_memory.h"

namespace eventchain::node {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

const chain::Member* find_member(const chain::Genesis& genesis, const chain::NodeId& node) {
  for (const auto& member : genesis.voters)
    if (member.node == node) return &member;
  return nullptr;
}

Result<void> check_file(const std::filesystem::path& file, std::string_view key) {
  if (file.empty() || access(file.c_str(), R_OK) == 0) return {};
  return fail(ErrorCode::kNotFound,
              fmt::format("configuration: {}: {} cannot be read", key, file.string()));
}

}  // namespace

Result<void> check_membership(const Config& config, const chain::Genesis& genesis) {
  if (find_member(genesis, config.node) == nullptr) {
    if (!config.peers.empty()) return {};
    return fail(ErrorCode::kInvalid,
                fmt::format("configuration: peers.nodes is empty, and node.id {} is not among the "
                            "voters of {}; name a node by which this one finds the cluster, or use "
                            "the id that genesis names",
                            to_hex(config.node), config.genesis_file.string()));
  }
  for (const auto& member : genesis.voters) {
    if (member.node == config.node || !member.peers_address.empty()) continue;
    bool known = false;
    for (const auto& peer : config.peers) known = known || peer.node == member.node;
    if (!known)
      return fail(ErrorCode::kInvalid,
                  fmt::format("configuration: voter {} ({}) is missing in peers.nodes, and genesis "
                              "has no address of it; add its id and address",
                              member.name, to_hex(member.node)));
  }
  return {};
}

Result<void> check_kind(const Config& config, const chain::Genesis& genesis) {
  if (config.light && find_member(genesis, config.node) != nullptr)
    return fail(ErrorCode::kInvalid,
                "configuration: node.light is true, but genesis names this node as a voter; set it "
                "to false, or let a new member join with the role light");
  const char* const other = config.light ? store::kDatabaseName : store::kLightDatabaseName;
  std::error_code error;
  if (!std::filesystem::exists(config.data_directory / other, error)) return {};
  return fail(
      ErrorCode::kInvalid,
      fmt::format("configuration: node.light is {}, but {} holds {}, the store of a {}; set "
                  "it to {}, or let a new member join with a new data directory",
                  config.light, config.data_directory.string(), other,
                  config.light ? "full member" : "light member", !config.light));
}

Result<chain::StoreId> find_store(const Config& config, const chain::Genesis& genesis) {
  const chain::Member* member = find_member(genesis, config.node);
  if (member == nullptr && config.store.is_zero())
    return fail(ErrorCode::kInvalid,
                "configuration: node.store is missing; it is the store id in the member.json that "
                "\"eventchain pki issue\" made");
  if (member == nullptr) return config.store;
  if (!config.store.is_zero() && config.store != member->store)
    return fail(ErrorCode::kInvalid,
                fmt::format("configuration: node.store is {}, but genesis names {} for {}; a new "
                            "disk is a new member with a node id of its own",
                            to_hex(config.store), to_hex(member->store), member->name));
  return member->store;
}

Result<std::unique_ptr<chain::Ed25519>> load_signing_key(const Config& config,
                                                         const chain::Genesis& genesis) {
  const auto refuse = [&](std::string_view what) {
    return fail(ErrorCode::kInvalid, fmt::format("configuration: node.signing_key: {}: {}",
                                                 config.signing_key.string(), what));
  };
  std::ifstream file(config.signing_key, std::ios::binary);
  const std::string pem((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file && pem.empty()) return refuse("cannot be read");
  auto key = chain::Ed25519::from_pem(pem);
  if (!key) return refuse(key.error().message);
  for (const auto& member : genesis.voters) {
    if (member.node == config.node && member.signing_key != (*key)->public_key())
      return refuse(
          fmt::format("is not the key that genesis names for {}; use the file that was "
                      "made with this member",
                      member.name));
  }
  return key;
}

Result<void> check_deployment(const Config& config) {
  auto genesis = load_genesis(config.genesis_file);
  if (!genesis) return tl::unexpected(genesis.error());
  auto done = check_membership(config, *genesis);
  if (done) done = check_kind(config, *genesis);
  if (done)
    if (auto disk = find_store(config, *genesis); !disk) done = tl::unexpected(disk.error());
  if (done) {
    const auto key = load_signing_key(config, *genesis);
    if (!key) return tl::unexpected(key.error());
    if (auto witness = load_witness_key(config, (*key)->public_key()); !witness)
      return tl::unexpected(witness.error());
  }
  const std::pair<const std::filesystem::path*, std::string_view> files[] = {
      {&config.peers_tls.certificate, "peers.certificate"},
      {&config.peers_tls.key, "peers.key"},
      {&config.peers_tls.ca, "peers.ca"},
      {&config.api_tls_files.certificate, "api.certificate"},
      {&config.api_tls_files.key, "api.key"},
      {&config.api_tls_files.ca, "api.ca"},
      {&config.witness.certificate, "witness.certificate"},
      {&config.witness.key, "witness.key"}};
  for (const auto& [file, key] : files)
    if (done) done = check_file(*file, key);
  for (const WitnessPlace& witness : config.witnesses.nodes)
    if (done) done = check_file(witness.ca, "witnesses.nodes.ca");
  if (done && !config.witness.directory.empty())
    done = check_file(config.witness.directory / store::kWitnessDatabaseName, "witness.directory");
  if (done && !config.ca_command.empty() && access(config.ca_command.c_str(), X_OK) != 0)
    return fail(ErrorCode::kNotFound,
                fmt::format("configuration: cluster.ca_command: {} cannot be run; name an "
                            "executable file",
                            config.ca_command.string()));
  return done;
}

}  // namespace eventchain::node
