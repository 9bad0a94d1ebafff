#include <fmt/format.h>

#include <algorithm>

#include "node/config_values.h"

// The tables that a file can have more of: peers, witnesses, witnessed logs.
namespace eventchain::node {

using chain::Result;

namespace {

// Keys of one log, whose signatures a witness verifies with each request.
constexpr std::int64_t kLogKeysMax = 64;

}  // namespace

Result<void> apply_peer_setting(const Setting& setting, PeerConfig& peer) {
  if (setting.key == "peers.nodes.id") return put(as_node_id(setting), peer.node);
  if (setting.key == "peers.nodes.address") return put(as_address(setting), peer.address);
  return complain(setting, "unknown key; a peer has id and address");
}

Result<void> apply_witness_setting(const Setting& setting, WitnessPlace& witness,
                                   const std::filesystem::path& base) {
  if (setting.key == "witnesses.nodes.url") return put(as_url(setting), witness.url);
  if (setting.key == "witnesses.nodes.ca") return put(as_path(setting, base), witness.ca);
  if (setting.key != "witnesses.nodes.key")
    return complain(setting, "unknown key; a witness has key, url and ca");
  const auto text = as_text(setting);
  if (!text) return tl::unexpected(text.error());
  return put(as_verifier(setting, *text, chain::NoteKeyKind::kCosignature), witness.verifier);
}

Result<void> apply_log_setting(const Setting& setting, chain::WitnessedLog& log) {
  if (setting.key == "witness.logs.origin") return put(as_text(setting), log.origin);
  if (setting.key == "witness.logs.quorum")
    return put(as_integer(setting, 1, kLogKeysMax), log.quorum);
  if (setting.key != "witness.logs.keys")
    return complain(setting, "unknown key; a log has keys, quorum and origin");
  const auto texts = as_list(setting, ',', "[\"eventchain/...+id+key\"]");
  if (!texts) return tl::unexpected(texts.error());
  if (texts->empty() || texts->size() > static_cast<std::size_t>(kLogKeysMax))
    return complain(setting, fmt::format("a log has 1 to {} keys, as \"eventchain genesis keys\" "
                                         "prints them",
                                         kLogKeysMax));
  for (const std::string& text : *texts) {
    auto key = as_verifier(setting, text, chain::NoteKeyKind::kEd25519);
    if (!key) return tl::unexpected(key.error());
    // Under another name, too: a quorum is one of keys.
    if (std::ranges::find(log.keys, key->key, &chain::NoteVerifier::key) != log.keys.end())
      return complain(setting, fmt::format("names {} twice", text));
    log.keys.push_back(std::move(*key));
  }
  return {};
}

}  // namespace eventchain::node
