#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "node/config_settings.h"

// What a setting's value means: each takes it as one type, or complains and says what would be
// accepted. Private to config_settings.cpp and config_tables.cpp.
namespace eventchain::node {

chain::Result<std::string> as_text(const Setting& setting);
// `low` to `high`.
chain::Result<std::int64_t> as_integer(const Setting& setting, std::int64_t low, std::int64_t high);
chain::Result<bool> as_bool(const Setting& setting);
// A relative one is relative to `base`.
chain::Result<std::filesystem::path> as_path(const Setting& setting,
                                             const std::filesystem::path& base);
// In the file a list of strings; from outside one text with `separator` between them.
chain::Result<std::vector<std::string>> as_list(const Setting& setting, char separator,
                                                std::string_view example);
chain::Result<mining::TimeWindows> as_windows(const Setting& setting);
chain::Result<std::vector<std::string>> as_client_names(const Setting& setting);
chain::Result<HostPort> as_address(const Setting& setting);
chain::Result<chain::NodeId> as_node_id(const Setting& setting);
chain::Result<chain::StoreId> as_store_id(const Setting& setting);
// `text`: of the setting, or one of its list.
chain::Result<chain::NoteVerifier> as_verifier(const Setting& setting, const std::string& text,
                                               chain::NoteKeyKind kind);
chain::Result<std::string> as_url(const Setting& setting);

// Puts a converted value in its place, or passes the complaint on.
template <class T, class Place>
chain::Result<void> put(chain::Result<T> value, Place& place) {
  if (!value) return tl::unexpected(value.error());
  place = static_cast<Place>(std::move(*value));
  return {};
}

}  // namespace eventchain::node
