#include "node/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fstream>
#include <functional>
#include <limits>
#include <sstream>
#include <utility>
#include <variant>

// Exceptions end in parse_config below; the library's own would cross our boundary.
#include <toml++/toml.h>

namespace eventchain::node {

namespace {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

// A value of the file or of an override, before its type is checked.
struct Setting {
  std::string key;
  std::string where;  // "file.toml line 3", "environment", "flag"
  std::variant<std::string, std::int64_t, bool> value;
  bool is_typed = true;  // in the file; what comes from outside is text whatever its type is
};

tl::unexpected<chain::Error> complain(const Setting& setting, std::string_view remedy) {
  return fail(ErrorCode::kInvalid,
              fmt::format("configuration: {} ({}): {}", setting.key, setting.where, remedy));
}

Result<std::string> as_text(const Setting& setting) {
  if (const auto* text = std::get_if<std::string>(&setting.value)) return *text;
  return complain(setting, "must be a string in quotes");
}

Result<std::int64_t> as_integer(const Setting& setting, std::int64_t low, std::int64_t high) {
  std::int64_t number = 0;
  bool is_number = false;
  if (const auto* given = std::get_if<std::int64_t>(&setting.value)) {
    number = *given;
    is_number = true;
  } else if (const auto* text = std::get_if<std::string>(&setting.value)) {
    const auto parsed = std::from_chars(text->data(), text->data() + text->size(), number);
    is_number =
        !setting.is_typed && parsed.ec == std::errc() && parsed.ptr == text->data() + text->size();
  }
  if (!is_number || number < low || number > high)
    return complain(setting, fmt::format("must be an integer from {} to {}", low, high));
  return number;
}

Result<bool> as_bool(const Setting& setting) {
  if (const auto* flag = std::get_if<bool>(&setting.value)) return *flag;
  if (const auto* text = std::get_if<std::string>(&setting.value); text && !setting.is_typed) {
    if (*text == "true") return true;
    if (*text == "false") return false;
  }
  return complain(setting, "must be true or false");
}

Result<std::filesystem::path> as_path(const Setting& setting, const std::filesystem::path& base) {
  auto text = as_text(setting);
  if (!text) return tl::unexpected(text.error());
  if (text->empty()) return complain(setting, "must name a file or directory");
  return base / *text;
}

Result<HostPort> as_address(const Setting& setting) {
  auto text = as_text(setting);
  if (!text) return tl::unexpected(text.error());
  auto address = parse_host_port(*text);
  if (!address) return complain(setting, address.error().message);
  return address;
}

Result<chain::NodeId> as_node_id(const Setting& setting) {
  auto text = as_text(setting);
  if (!text) return tl::unexpected(text.error());
  const auto bytes = chain::from_hex(*text);
  const auto id = bytes ? chain::NodeId::from(*bytes) : std::nullopt;
  if (!id) return complain(setting, "must be a node id: 32 lower-case hexadecimal digits");
  return *id;
}

using Apply =
    std::function<Result<void>(const Setting&, Config&, const std::filesystem::path& base)>;

// Puts a converted value in its place, or passes the complaint on.
template <class T, class Place>
Result<void> put(Result<T> value, Place& place) {
  if (!value) return tl::unexpected(value.error());
  place = static_cast<Place>(std::move(*value));
  return {};
}

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

constexpr std::int64_t kMebibyte = 1 << 20;

// Every key there is, with its meaning for the configuration. Ordered for messages and tests.
const std::map<std::string, Apply, std::less<>>& known_keys() {
  static const std::map<std::string, Apply, std::less<>> keys = {
      {"node.id", [](const Setting& s, Config& c,
                     const std::filesystem::path&) { return put(as_node_id(s), c.node); }},
      {"node.data", path_of(&Config::data_directory)},
      {"node.genesis", path_of(&Config::genesis_file)},
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
      {"mining.threads", integer_of(0, 255, &Config::mining_threads)},
      {"mining.duty_percent", integer_of(1, 100, &Config::mining_duty_percent)},
      {"consensus.election_timeout_ms", milliseconds_of(50, 60'000, &Config::election_timeout)},
      {"consensus.heartbeat_ms", milliseconds_of(5, 10'000, &Config::heartbeat_interval)},
      {"consensus.snapshot_every", integer_of(1, 100'000, &Config::snapshot_every)},
      {"consensus.snapshot_trailing", integer_of(1, 100'000, &Config::snapshot_trailing)},
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

tl::unexpected<chain::Error> unknown_key(const std::string& key, const std::string& where) {
  std::string nearest;
  for (const auto& [known, apply] : known_keys())
    if (nearest.empty() || distance(key, known) < distance(key, nearest)) nearest = known;
  return fail(
      ErrorCode::kInvalid,
      fmt::format("configuration: unknown key {} ({}); did you mean {}?", key, where, nearest));
}

Result<void> apply_setting(const Setting& setting, Config& config,
                           const std::filesystem::path& base) {
  const auto known = known_keys().find(setting.key);
  if (known == known_keys().end()) return unknown_key(setting.key, setting.where);
  return known->second(setting, config, base);
}

std::string line_of(const std::string& name, const toml::node& node) {
  return fmt::format("{} line {}", name, node.source().begin.line);
}

Result<void> apply_peer(const toml::table& table, const std::string& name, Config& config) {
  PeerConfig peer;
  bool has_id = false;
  bool has_address = false;
  for (const auto& [raw_key, node] : table) {
    const std::string key = "peers.nodes." + std::string(raw_key.str());
    Setting setting{key, line_of(name, node), std::string(node.value_or(std::string_view()))};
    Result<void> done;
    if (raw_key.str() == "id") {
      done = put(as_node_id(setting), peer.node);
      has_id = true;
    } else if (raw_key.str() == "address") {
      done = put(as_address(setting), peer.address);
      has_address = true;
    } else {
      return complain(setting, "unknown key; a peer has id and address");
    }
    if (!done) return done;
  }
  if (!has_id || !has_address)
    return fail(ErrorCode::kInvalid, fmt::format("configuration: peers.nodes ({}): a peer needs "
                                                 "both id and address",
                                                 line_of(name, table)));
  config.peers.push_back(std::move(peer));
  return {};
}

Result<void> apply_peers(const toml::node& node, const std::string& name, Config& config) {
  const toml::array* list = node.as_array();
  if (list == nullptr)
    return fail(ErrorCode::kInvalid,
                fmt::format("configuration: peers.nodes ({}): must be [[peers.nodes]] tables",
                            line_of(name, node)));
  for (const auto& element : *list) {
    const toml::table* table = element.as_table();
    if (table == nullptr)
      return fail(ErrorCode::kInvalid,
                  fmt::format("configuration: peers.nodes ({}): must be [[peers.nodes]] tables",
                              line_of(name, element)));
    auto done = apply_peer(*table, name, config);
    if (!done) return done;
  }
  return {};
}

Result<void> apply_section(std::string_view section, const toml::table& table,
                           const std::string& name, const std::filesystem::path& base,
                           Config& config) {
  for (const auto& [raw_key, node] : table) {
    const std::string key = std::string(section) + "." + std::string(raw_key.str());
    Result<void> done;
    if (key == "peers.nodes") {
      done = apply_peers(node, name, config);
    } else {
      Setting setting{key, line_of(name, node), std::string()};
      if (const auto text = node.value_exact<std::string>()) {
        setting.value = *text;
      } else if (const auto number = node.value_exact<std::int64_t>()) {
        setting.value = *number;
      } else if (const auto flag = node.value_exact<bool>()) {
        setting.value = *flag;
      } else if (known_keys().contains(key)) {
        return complain(setting, "must be a string, an integer or true/false");
      }
      done = apply_setting(setting, config, base);
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

Result<void> check(const Config& config) {
  const std::pair<bool, std::pair<std::string_view, std::string_view>> rules[] = {
      {!config.node.is_zero(), {"node.id", "is missing; it is the id that genesis names"}},
      {!config.data_directory.empty(), {"node.data", "is missing; name a directory"}},
      {!config.genesis_file.empty(), {"node.genesis", "is missing; name the genesis file"}},
      {!config.api_listen.host.empty(), {"api.listen", "is missing, e.g. \"127.0.0.1:8100\""}},
      {config.api_tls || is_loopback(config.api_listen.host),
       {"api.tls", "may be false on a loopback address only; anyone on the network could write"}},
      {!config.api_tls ||
           (!config.api_tls_files.certificate.empty() && !config.api_tls_files.key.empty()),
       {"api.certificate", "and api.key are needed while api.tls is true"}},
      {config.peers.empty() || !config.peers_listen.host.empty(),
       {"peers.listen", "is missing; peers must be able to reach this node"}},
      {config.peers.empty() || (!config.peers_tls.certificate.empty() &&
                                !config.peers_tls.key.empty() && !config.peers_tls.ca.empty()),
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
  return {};
}

}  // namespace

Result<HostPort> parse_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto wrong = [&] {
    return fail(ErrorCode::kMalformed,
                fmt::format("'{}' is no address; write host:port or [ipv6]:port", text));
  };
  if (colon == std::string_view::npos || colon == 0) return wrong();
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return wrong();
  }
  HostPort address;
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (host.empty() || port.empty() || parsed.ec != std::errc() ||
      parsed.ptr != port.data() + port.size())
    return wrong();
  address.host = std::string(host);
  return address;
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

Result<Config> parse_config(std::string_view toml, const std::string& name,
                            const std::filesystem::path& base, const Overrides& environment,
                            const Overrides& flags) {
  Config config;
  auto done = apply_file(toml, name, base, config);
  const std::pair<const Overrides*, const char*> layers[] = {{&environment, "environment"},
                                                             {&flags, "flag"}};
  for (const auto& [overrides, where] : layers) {
    for (const auto& [key, value] : *overrides) {
      if (done) done = apply_setting({key, where, value, false}, config, {});
    }
  }
  if (done) done = check(config);
  if (!done) return tl::unexpected(done.error());
  return config;
}

Result<Config> load_config(const std::filesystem::path& file, const Overrides& environment,
                           const Overrides& flags) {
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
  return parse_config(text.str(), file.filename().string(),
                      std::filesystem::absolute(file).parent_path(), environment, flags);
}

}  // namespace eventchain::node
