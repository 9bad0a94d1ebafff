#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "node/config.h"

// What a setting is: every key there is, the type and range of its value, and where it goes. How a
// file is read and which combinations are allowed is config.cpp's.
namespace eventchain::node {

// A value of the file or of an override, before its type is checked.
struct Setting {
  std::string key;
  std::string where;  // "file.toml line 3", "environment", "flag"
  std::variant<std::string, std::int64_t, bool, std::vector<std::string>> value;
  bool is_typed = true;  // in the file; what comes from outside is text whatever its type is
};

// The error that names a setting, where it stands, and what to do.
tl::unexpected<chain::Error> complain(const Setting& setting, std::string_view remedy);
tl::unexpected<chain::Error> unknown_key(const std::string& key, const std::string& where);

[[nodiscard]] bool is_known_key(std::string_view key);
// All of them in order, and those of the tables that a file can have more of.
[[nodiscard]] std::vector<std::string> known_settings();
// What may be said to a key, in the words of the complaint about anything else: "an integer from 1
// to 64".
[[nodiscard]] std::string accepted_values(const std::string& key);
// Puts the value where its key says; `base` is what relative paths are relative to.
chain::Result<void> apply_setting(const Setting& setting, Config& config,
                                  const std::filesystem::path& base);
// The same for what stands in a [[peers.nodes]] table, which only a file can have, and in those of
// witnesses and witnessed logs.
chain::Result<void> apply_peer_setting(const Setting& setting, PeerConfig& peer);
chain::Result<void> apply_witness_setting(const Setting& setting, WitnessPlace& witness,
                                          const std::filesystem::path& base);
chain::Result<void> apply_log_setting(const Setting& setting, chain::WitnessedLog& log);

}  // namespace eventchain::node
