#include "node/config_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "node/config_values.h"

namespace eventchain::node {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

using Apply =
    std::function<Result<void>(const Setting&, Config&, const std::filesystem::path& base)>;

Apply text_of(std::vector<std::string> choices, std::function<void(Config&, std::string)> place) {
  return [choices = std::move(choices), place = std::move(place)](
             const Setting& setting, Config& config, const std::filesystem::path&) -> Result<void> {
    auto text = as_text(setting);
    if (!text) return tl::unexpected(text.error());
    if (std::find(choices.begin(), choices.end(), *text) == choices.end())
      return complain(setting, fmt::format("must be one of: {}", fmt::join(choices, ", ")));
    place(config, std::move(*text));
    return {};
  };
}

template <class Place>
Apply path_of(Place Config::*place) {
  return [place](const Setting& setting, Config& config, const std::filesystem::path& base) {
    return put(as_path(setting, base), config.*place);
  };
}

Apply tls_path_of(TlsFiles Config::*files, std::filesystem::path TlsFiles::*place) {
  return [=](const Setting& setting, Config& config, const std::filesystem::path& base) {
    return put(as_path(setting, base), config.*files.*place);
  };
}

Apply witness_path_of(std::filesystem::path WitnessConfig::*place) {
  return [=](const Setting& setting, Config& config, const std::filesystem::path& base) {
    return put(as_path(setting, base), config.witness.*place);
  };
}

Apply seconds_of(std::int64_t low, std::int64_t high,
                 std::chrono::seconds WitnessesConfig::*place) {
  return [=](const Setting& setting, Config& config, const std::filesystem::path&) {
    return put(as_integer(setting, low, high), config.witnesses.*place);
  };
}

Apply address_of(HostPort Config::*place) {
  return [place](const Setting& setting, Config& config, const std::filesystem::path&) {
    return put(as_address(setting), config.*place);
  };
}

template <class T>
Apply integer_of(std::int64_t low, std::int64_t high, T Config::*place) {
  return [=](const Setting& setting, Config& config, const std::filesystem::path&) {
    return put(as_integer(setting, low, high), config.*place);
  };
}

Apply milliseconds_of(std::int64_t low, std::int64_t high,
                      std::chrono::milliseconds Config::*place) {
  return [=](const Setting& setting, Config& config, const std::filesystem::path&) {
    return put(as_integer(setting, low, high), config.*place);
  };
}

// A percentage, `low`..100.
Apply governor_of(std::int64_t low, unsigned mining::GovernorSettings::*place) {
  return [=](const Setting& setting, Config& config, const std::filesystem::path&) {
    return put(as_integer(setting, low, 100), config.mining.*place);
  };
}

constexpr std::int64_t kMebibyte = 1 << 20;

// Every key there is, with its meaning for the configuration. Ordered for messages and tests.
const std::map<std::string, Apply, std::less<>>& known_keys() {
  static const std::map<std::string, Apply, std::less<>> keys = {
      {"node.id", [](const Setting& s, Config& c,
                     const std::filesystem::path&) { return put(as_node_id(s), c.node); }},
      {"node.store",
       [](const Setting& s, Config& c, const std::filesystem::path&) {
         return put(as_store_id(s), c.store);
       }},
      {"node.data", path_of(&Config::data_directory)},
      {"node.genesis", path_of(&Config::genesis_file)},
      {"node.signing_key", path_of(&Config::signing_key)},
      {"node.light", [](const Setting& s, Config& c,
                        const std::filesystem::path&) { return put(as_bool(s), c.light); }},
      {"peers.listen", address_of(&Config::peers_listen)},
      {"peers.certificate", tls_path_of(&Config::peers_tls, &TlsFiles::certificate)},
      {"peers.key", tls_path_of(&Config::peers_tls, &TlsFiles::key)},
      {"peers.ca", tls_path_of(&Config::peers_tls, &TlsFiles::ca)},
      {"api.listen", address_of(&Config::api_listen)},
      {"api.tls", [](const Setting& s, Config& c,
                     const std::filesystem::path&) { return put(as_bool(s), c.api_tls); }},
      {"api.certificate", tls_path_of(&Config::api_tls_files, &TlsFiles::certificate)},
      {"api.key", tls_path_of(&Config::api_tls_files, &TlsFiles::key)},
      {"api.ca", tls_path_of(&Config::api_tls_files, &TlsFiles::ca)},
      {"api.threads", integer_of(1, 64, &Config::api_threads)},
      {"api.operators",
       [](const Setting& s, Config& c, const std::filesystem::path&) {
         return put(as_client_names(s), c.api_operators);
       }},
      {"cluster.ca_command", path_of(&Config::ca_command)},
      {"mining.threads", integer_of(0, 255, &Config::mining_threads)},
      {"mining.duty_percent", governor_of(1, &mining::GovernorSettings::thread_percent)},
      {"mining.cap_percent", governor_of(1, &mining::GovernorSettings::cap_percent)},
      {"mining.stop_above", governor_of(1, &mining::GovernorSettings::stop_above)},
      {"mining.resume_below", governor_of(1, &mining::GovernorSettings::resume_below)},
      {"mining.steal_above", governor_of(1, &mining::GovernorSettings::steal_above)},
      {"mining.windows",
       [](const Setting& s, Config& c, const std::filesystem::path&) {
         return put(as_windows(s), c.mining.windows);
       }},
      {"mining.kill_switch", path_of(&Config::mining_kill_switch)},
      {"mining.randomx", text_of({"auto", "light", "fast"},
                                 [](Config& c, const std::string& mode) {
                                   c.randomx = *mining::parse_randomx_mode(mode);
                                 })},
      {"mining.run", text_of({"threads", "process"},
                             [](Config& c, const std::string& run) {
                               c.mining_run =
                                   run == "process" ? MiningRun::kProcess : MiningRun::kThreads;
                             })},
      {"mining.socket", path_of(&Config::mining_socket)},
      {"mining.socket_group",
       [](const Setting& s, Config& c, const std::filesystem::path&) {
         return put(as_text(s), c.mining_socket_group);
       }},
      {"consensus.election_timeout_ms", milliseconds_of(50, 60'000, &Config::election_timeout)},
      {"consensus.heartbeat_ms", milliseconds_of(5, 10'000, &Config::heartbeat_interval)},
      {"consensus.snapshot_every", integer_of(1, 100'000, &Config::snapshot_every)},
      {"consensus.snapshot_trailing", integer_of(1, 100'000, &Config::snapshot_trailing)},
      {"witnesses.quorum",
       [](const Setting& s, Config& c, const std::filesystem::path&) {
         return put(as_integer(s, 1, 16), c.witnesses.quorum);
       }},
      {"witnesses.interval_s", seconds_of(1, 86'400, &WitnessesConfig::interval)},
      {"witnesses.timeout_s", seconds_of(1, 300, &WitnessesConfig::timeout)},
      {"witness.directory", witness_path_of(&WitnessConfig::directory)},
      {"witness.listen",
       [](const Setting& s, Config& c, const std::filesystem::path&) {
         return put(as_address(s), c.witness.listen);
       }},
      {"witness.tls", [](const Setting& s, Config& c,
                         const std::filesystem::path&) { return put(as_bool(s), c.witness.tls); }},
      {"witness.certificate", witness_path_of(&WitnessConfig::certificate)},
      {"witness.key", witness_path_of(&WitnessConfig::key)},
      {"pool.events_max",
       [](const Setting& s, Config& c, const std::filesystem::path&) {
         return put(as_integer(s, 1000, 10'000'000), c.pool.events_max);
       }},
      {"pool.bytes_max",
       [](const Setting& s, Config& c, const std::filesystem::path&) {
         return put(as_integer(s, kMebibyte, 16 * 1024 * kMebibyte), c.pool.bytes_max);
       }},
      {"disk.reserve_bytes",
       integer_of(0, std::numeric_limits<std::int64_t>::max(), &Config::disk_reserve_bytes)},
      {"log.level", text_of({"debug", "info", "warning", "error"},
                            [](Config& c, std::string level) { c.log_level = std::move(level); })},
      {"log.format", text_of({"text", "json"},
                             [](Config& c, const std::string& format) {
                               c.log_format =
                                   format == "json" ? LogFormat::kJson : LogFormat::kText;
                             })},
  };
  return keys;
}

// Levenshtein distance, for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace

tl::unexpected<chain::Error> unknown_key(const std::string& key, const std::string& where) {
  std::string nearest;
  for (const auto& [known, apply] : known_keys())
    if (nearest.empty() || distance(key, known) < distance(key, nearest)) nearest = known;
  return fail(
      ErrorCode::kInvalid,
      fmt::format("configuration: unknown key {} ({}); did you mean {}?", key, where, nearest));
}

bool is_known_key(std::string_view key) {
  return known_keys().contains(key);
}

std::vector<std::string> known_settings() {
  std::vector<std::string> all = {
      "peers.nodes.address", "peers.nodes.id",     "witness.logs.keys",   "witness.logs.origin",
      "witness.logs.quorum", "witnesses.nodes.ca", "witnesses.nodes.key", "witnesses.nodes.url"};
  for (const auto& [key, apply] : known_keys()) all.push_back(key);
  std::ranges::sort(all);
  return all;
}

std::string accepted_values(const std::string& key) {
  // Nothing but a free text may be empty.
  const Setting empty{key, "", std::string()};
  const auto refused = [&empty, &key]() -> Result<void> {
    Config config;
    PeerConfig peer;
    WitnessPlace witness;
    chain::WitnessedLog log;
    if (key.starts_with("peers.nodes.")) return apply_peer_setting(empty, peer);
    if (key.starts_with("witnesses.nodes.")) return apply_witness_setting(empty, witness, {});
    if (key.starts_with("witness.logs.")) return apply_log_setting(empty, log);
    return apply_setting(empty, config, {});
  }();
  if (refused) return "a string in quotes";
  const std::string_view remedy = refused.error().message;
  for (const std::string_view before : {"must be ", "must name ", "write "})
    if (const auto at = remedy.find(before); at != std::string_view::npos)
      return std::string(remedy.substr(at + before.size()));
  return "a string in quotes";
}

Result<void> apply_setting(const Setting& setting, Config& config,
                           const std::filesystem::path& base) {
  const auto known = known_keys().find(setting.key);
  if (known == known_keys().end()) return unknown_key(setting.key, setting.where);
  return known->second(setting, config, base);
}

Result<Overrides> overrides_from_environment(const char* const* environment) {
  static constexpr std::string_view kPrefix = "EVENTCHAIN_";
  // Read by the command-line tool and the tests; no settings of a node.
  static constexpr std::string_view kNotOurs[] = {"ENDPOINT", "CA",    "CERT", "KEY",
                                                  "OUTPUT",   "SEEDS", "SEED", "BUILD"};
  Overrides overrides;
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    const auto equals = entry.find('=');
    if (entry.substr(0, kPrefix.size()) != kPrefix || equals == std::string_view::npos) continue;
    const std::string_view name = entry.substr(kPrefix.size(), equals - kPrefix.size());
    if (std::find(std::begin(kNotOurs), std::end(kNotOurs), name) != std::end(kNotOurs)) continue;
    std::string found;
    for (const auto& [key, apply] : known_keys()) {
      std::string spelled = key;
      for (char& c : spelled)
        c = c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      if (spelled == name) found = key;
    }
    if (found.empty())
      return fail(ErrorCode::kInvalid,
                  fmt::format("environment: {} names no setting; unset it or correct its name",
                              entry.substr(0, equals)));
    overrides[found] = std::string(entry.substr(equals + 1));
  }
  return overrides;
}

}  // namespace eventchain::node
