#include "node/config.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>
#include <utility>

#include "mining/process/unix_socket.h"
#include "node/config_settings.h"

// Exceptions end in parse_config below; the library's own would cross our boundary.
#include <toml++/toml.h>

namespace eventchain::node {

namespace {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

// Each has a thread that asks it; nobody needs more to believe a log.
constexpr std::size_t kWitnessesMax = 16;

std::string line_of(const std::string& name, const toml::node& node) {
  return fmt::format("{} line {}", name, node.source().begin.line);
}

// Calls `take` for each table of a [[key]] list.
template <class Take>
Result<void> each_table(const toml::node& node, const std::string& key, const std::string& name,
                        Take take) {
  const auto refuse = [&](const toml::node& wrong) {
    return fail(ErrorCode::kInvalid, fmt::format("configuration: {} ({}): must be [[{}]] tables",
                                                 key, line_of(name, wrong), key));
  };
  const toml::array* list = node.as_array();
  if (list == nullptr) return refuse(node);
  for (const auto& element : *list) {
    const toml::table* table = element.as_table();
    if (table == nullptr) return refuse(element);
    auto done = take(*table);
    if (!done) return done;
  }
  return {};
}

// nullopt unless it is a list of strings and nothing else.
std::optional<std::vector<std::string>> strings_of(const toml::node& node) {
  const toml::array* list = node.as_array();
  if (list == nullptr) return std::nullopt;
  std::vector<std::string> strings;
  for (const auto& element : *list) {
    const auto text = element.value_exact<std::string>();
    if (!text) return std::nullopt;
    strings.push_back(*text);
  }
  return strings;
}

// A setting whose value has a type that some key takes; nullopt: none has it.
std::optional<Setting> setting_of(const std::string& key, const std::string& where,
                                  const toml::node& node) {
  Setting setting{key, where, std::string()};
  if (const auto text = node.value_exact<std::string>()) {
    setting.value = *text;
  } else if (const auto number = node.value_exact<std::int64_t>()) {
    setting.value = *number;
  } else if (const auto flag = node.value_exact<bool>()) {
    setting.value = *flag;
  } else if (auto names = strings_of(node)) {
    setting.value = std::move(*names);
  } else {
    return std::nullopt;
  }
  return setting;
}

constexpr std::string_view kTypes =
    "must be a string, an integer or true/false, or a list of strings";

// Applies what stands in one table of a list; `apply` gets each setting of it.
template <class Apply>
Result<void> apply_table(const toml::table& table, const std::string& key, const std::string& name,
                         Apply apply) {
  for (const auto& [raw_key, node] : table) {
    const std::string full = key + "." + std::string(raw_key.str());
    const auto setting = setting_of(full, line_of(name, node), node);
    if (!setting) return complain({full, line_of(name, node), std::string()}, kTypes);
    auto done = apply(*setting);
    if (!done) return done;
  }
  return {};
}

Result<void> apply_peer(const toml::table& table, const std::string& name, Config& config) {
  PeerConfig peer;
  auto done = apply_table(table, "peers.nodes", name, [&](const Setting& setting) {
    return apply_peer_setting(setting, peer);
  });
  if (!done) return done;
  if (!table.contains("id") || !table.contains("address"))
    return fail(ErrorCode::kInvalid, fmt::format("configuration: peers.nodes ({}): a peer needs "
                                                 "both id and address",
                                                 line_of(name, table)));
  config.peers.push_back(std::move(peer));
  return {};
}

Result<void> apply_witness(const toml::table& table, const std::string& name,
                           const std::filesystem::path& base, Config& config) {
  WitnessPlace witness;
  auto done = apply_table(table, "witnesses.nodes", name, [&](const Setting& setting) {
    return apply_witness_setting(setting, witness, base);
  });
  if (!done) return done;
  if (!table.contains("key") || !table.contains("url"))
    return fail(ErrorCode::kInvalid, fmt::format("configuration: witnesses.nodes ({}): a witness "
                                                 "needs both key and url",
                                                 line_of(name, table)));
  config.witnesses.nodes.push_back(std::move(witness));
  return {};
}

Result<void> apply_log(const toml::table& table, const std::string& name, Config& config) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::kInvalid,
                fmt::format("configuration: witness.logs ({}): {}", line_of(name, table), why));
  };
  chain::WitnessedLog log;
  log.quorum = 0;
  auto done = apply_table(table, "witness.logs", name,
                          [&](const Setting& setting) { return apply_log_setting(setting, log); });
  if (!done) return done;
  if (log.keys.empty()) return refuse("a log needs keys");
  // As voters name their keys.
  if (log.origin.empty()) log.origin = log.keys.front().name;
  if (log.quorum == 0) log.quorum = log.keys.size() / 2 + 1;
  if (log.quorum > log.keys.size())
    return refuse("the quorum is greater than the number of keys, and nothing would be cosigned");
  for (const chain::WitnessedLog& other : config.witness.logs)
    if (other.origin == log.origin) return refuse("the log " + log.origin + " is listed twice");
  config.witness.logs.push_back(std::move(log));
  return {};
}

Result<void> apply_tables(const std::string& key, const toml::node& node, const std::string& name,
                          const std::filesystem::path& base, Config& config) {
  return each_table(node, key, name, [&](const toml::table& table) {
    if (key == "peers.nodes") return apply_peer(table, name, config);
    if (key == "witnesses.nodes") return apply_witness(table, name, base, config);
    return apply_log(table, name, config);
  });
}

bool is_list_of_tables(std::string_view key) {
  return key == "peers.nodes" || key == "witnesses.nodes" || key == "witness.logs";
}

Result<void> apply_section(std::string_view section, const toml::table& table,
                           const std::string& name, const std::filesystem::path& base,
                           Config& config) {
  for (const auto& [raw_key, node] : table) {
    const std::string key = std::string(section) + "." + std::string(raw_key.str());
    Result<void> done;
    if (is_list_of_tables(key)) {
      done = apply_tables(key, node, name, base, config);
    } else if (const auto setting = setting_of(key, line_of(name, node), node)) {
      done = apply_setting(*setting, config, base);
    } else {
      const Setting wrong{key, line_of(name, node), std::string()};
      if (is_known_key(key)) return complain(wrong, kTypes);
      done = apply_setting(wrong, config, base);
    }
    if (!done) return done;
  }
  return {};
}

Result<void> apply_file(std::string_view text, const std::string& name,
                        const std::filesystem::path& base, Config& config) {
  toml::table root;
  try {
    root = toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::kMalformed, fmt::format("configuration: {} line {}: {}", name,
                                                   error.source().begin.line, error.description()));
  }
  for (const auto& [section, node] : root) {
    const toml::table* table = node.as_table();
    if (table == nullptr) return unknown_key(std::string(section.str()), line_of(name, node));
    auto done = apply_section(section.str(), *table, name, base, config);
    if (!done) return done;
  }
  return {};
}

bool is_loopback(const std::string& host) {
  // Digits only: "127.example.org" is a name like any other.
  return host == "localhost" || host == "::1" ||
         (host.rfind("127.", 0) == 0 && host.find_first_not_of("0123456789.") == std::string::npos);
}

Result<void> require(bool condition, std::string_view key, std::string_view remedy) {
  if (condition) return {};
  return fail(ErrorCode::kInvalid, fmt::format("configuration: {}: {}", key, remedy));
}

// What holds for a node and for a miner process.
Result<void> check_mining(const Config& config, bool uses_socket) {
  auto done = require(config.mining.resume_below <= config.mining.stop_above, "mining.resume_below",
                      "must be at most mining.stop_above");
  const bool is_short = miner_socket(config).string().size() <= mining::process::kSocketPathMax;
  if (done && uses_socket)
    done = require(is_short, "mining.socket",
                   fmt::format("a socket's path has {} octets at most, and this is {}; name a "
                               "shorter one",
                               mining::process::kSocketPathMax, miner_socket(config).string()));
  return done;
}

Result<void> check_miner(const Config& config) {
  auto done = check_mining(config, true);
  if (done)
    done = require(!config.mining_socket.empty() || !config.data_directory.empty(), "mining.socket",
                   "is missing; name the socket of the node that this miner works for");
  if (done)
    done = require(config.mining_threads > 0, "mining.threads",
                   "is 0, and there is nothing else for a miner to do");
  return done;
}

Result<void> check_witnesses(const Config& config) {
  const auto& nodes = config.witnesses.nodes;
  auto done = require(nodes.size() <= kWitnessesMax, "witnesses.nodes",
                      fmt::format("{} witnesses are the most", kWitnessesMax));
  if (done)
    done = require(
        nodes.empty() ? config.witnesses.quorum == 0 : config.witnesses.needed() <= nodes.size(),
        "witnesses.quorum",
        "is greater than the number of witnesses, and nothing would be witnessed");
  if (done)
    done = require(nodes.empty() || !config.light, "witnesses.nodes",
                   "a light member has no log to show them; let a voter or an observer ask");
  for (std::size_t i = 0; done && i < nodes.size(); ++i)
    for (std::size_t j = 0; done && j < i; ++j)
      done =
          require(nodes[i].verifier.key != nodes[j].verifier.key &&
                      nodes[i].verifier.name != nodes[j].verifier.name,
                  "witnesses.nodes",
                  fmt::format("{} is listed twice, by its key or its name; a witness counts once",
                              nodes[i].verifier.name));
  return done;
}

Result<void> check_witness(const Config& config) {
  const WitnessConfig& witness = config.witness;
  auto done =
      require(witness.directory.empty() || !witness.logs.empty(), "witness.directory",
              "and [[witness.logs]] belong together: who has a key needs logs to vouch for");
  const bool has_listener = !witness.listen.host.empty();
  if (done)
    done = require(!has_listener || !witness.logs.empty(), "witness.listen",
                   "is for a witness; it needs [[witness.logs]], and a key in witness.directory");
  if (done)
    done = require(!has_listener || witness.tls || is_loopback(witness.listen.host), "witness.tls",
                   "may be false on a loopback address only");
  if (done)
    done = require(witness.certificate.empty() == witness.key.empty(), "witness.certificate",
                   "and witness.key belong together; without them the API's are used");
  if (done)
    done = require(!has_listener || !witness.tls || !witness.certificate.empty() ||
                       !config.api_tls_files.certificate.empty(),
                   "witness.certificate",
                   "and witness.key are needed while witness.tls is true and the API has none");
  return done;
}

Result<void> check_node(const Config& config) {
  const std::pair<bool, std::pair<std::string_view, std::string_view>> rules[] = {
      {!config.node.is_zero(), {"node.id", "is missing; it is the id that genesis names"}},
      {!config.data_directory.empty(), {"node.data", "is missing; name a directory"}},
      {!config.genesis_file.empty(), {"node.genesis", "is missing; name the genesis file"}},
      {!config.signing_key.empty(),
       {"node.signing_key",
        "is missing; name the signing.key.pem that \"eventchain pki issue\" made"}},
      {!config.api_listen.host.empty(), {"api.listen", "is missing, e.g. \"127.0.0.1:8100\""}},
      {config.api_tls || is_loopback(config.api_listen.host),
       {"api.tls", "may be false on a loopback address only; anyone on the network could write"}},
      {!config.api_tls ||
           (!config.api_tls_files.certificate.empty() && !config.api_tls_files.key.empty()),
       {"api.certificate", "and api.key are needed while api.tls is true"}},
      {config.peers.empty() || !config.peers_listen.host.empty(),
       {"peers.listen", "is missing; peers must be able to reach this node"}},
      {config.peers_listen.host.empty() ||
           (!config.peers_tls.certificate.empty() && !config.peers_tls.key.empty() &&
            !config.peers_tls.ca.empty()),
       {"peers.certificate", "peers.key and peers.ca are needed: links are always authenticated"}},
      {config.election_timeout >= 3 * config.heartbeat_interval,
       {"consensus.election_timeout_ms",
        "must be at least three times consensus.heartbeat_ms, or one lost heartbeat unseats a "
        "leader"}},
  };
  for (const auto& [holds, text] : rules) {
    auto done = require(holds, text.first, text.second);
    if (!done) return done;
  }
  for (const auto& peer : config.peers) {
    auto done = require(peer.node != config.node, "peers.nodes",
                        "lists this node itself; it names the other nodes only");
    if (!done) return done;
  }
  auto done = check_witnesses(config);
  if (done) done = check_witness(config);
  if (done) done = check_mining(config, config.mining_run == MiningRun::kProcess);
  return done;
}

using Check = Result<void> (*)(const Config&);

Result<Config> parse(std::string_view toml, const std::string& name,
                     const std::filesystem::path& base,
                     const std::pair<const Overrides&, const Overrides&>& outside, Check check) {
  const auto& [environment, flags] = outside;
  Config config;
  auto done = apply_file(toml, name, base, config);
  const std::pair<const Overrides*, const char*> layers[] = {{&environment, "environment"},
                                                             {&flags, "flag"}};
  for (const auto& [overrides, where] : layers) {
    for (const auto& [key, value] : *overrides) {
      if (done) done = apply_setting({key, where, value, false}, config, {});
    }
  }
  // Where a node's key and memory lie beside its data, they are on a disk that it may write to.
  if (config.witness.directory.empty() && !config.witness.logs.empty())
    config.witness.directory = config.data_directory / "witness";
  if (done) done = check(config);
  if (!done) return tl::unexpected(done.error());
  return config;
}

Result<std::string> read_file(const std::filesystem::path& file) {
  static constexpr std::uintmax_t kFileBytesMax = 1 << 20;
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (error || size > kFileBytesMax)
    return fail(ErrorCode::kNotFound,
                fmt::format("configuration: {} cannot be read: {}", file.string(),
                            error ? error.message() : "it is larger than 1 MiB"));
  std::ifstream stream(file);
  std::stringstream text;
  text << stream.rdbuf();
  if (!stream)
    return fail(ErrorCode::kIo, fmt::format("configuration: {} cannot be read", file.string()));
  return text.str();
}

Result<Config> load(const std::filesystem::path& file,
                    const std::pair<const Overrides&, const Overrides&>& outside, Check check) {
  const auto text = read_file(file);
  if (!text) return tl::unexpected(text.error());
  return parse(*text, file.filename().string(), std::filesystem::absolute(file).parent_path(),
               outside, check);
}

}  // namespace

std::filesystem::path miner_socket(const Config& config) {
  return config.mining_socket.empty() ? config.data_directory / "miner.sock" : config.mining_socket;
}

Result<Config> parse_config(std::string_view toml, const std::string& name,
                            const std::filesystem::path& base, const Overrides& environment,
                            const Overrides& flags) {
  return parse(toml, name, base, {environment, flags}, check_node);
}

Result<Config> parse_miner_config(std::string_view toml, const std::string& name,
                                  const std::filesystem::path& base, const Overrides& environment,
                                  const Overrides& flags) {
  return parse(toml, name, base, {environment, flags}, check_miner);
}

Result<Config> load_config(const std::filesystem::path& file, const Overrides& environment,
                           const Overrides& flags) {
  return load(file, {environment, flags}, check_node);
}

Result<Config> load_miner_config(const std::filesystem::path& file, const Overrides& environment,
                                 const Overrides& flags) {
  return load(file, {environment, flags}, check_miner);
}

}  // namespace eventchain::node
