#include "node/config_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "net/http/client.h"
#include "net/identity.h"

namespace eventchain::node {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

template <class Id>
Result<Id> as_id(const Setting& setting, std::string_view what) {
  auto text = as_text(setting);
  if (!text) return tl::unexpected(text.error());
  const auto bytes = chain::from_hex(*text);
  const auto id = bytes ? Id::from(*bytes) : std::nullopt;
  if (!id)
    return complain(setting, fmt::format("must be a {}: 32 lower-case hexadecimal digits", what));
  return *id;
}

}  // namespace

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

Result<std::vector<std::string>> as_list(const Setting& setting, char separator,
                                         std::string_view example) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&setting.value)) return *list;
  const auto* text = std::get_if<std::string>(&setting.value);
  if (text == nullptr || setting.is_typed)
    return complain(setting, fmt::format("must be a list of strings in quotes, e.g. {}", example));
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < text->size();) {
    const std::size_t end = std::min(text->find(separator, at), text->size());
    parts.push_back(text->substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

// Between windows there are semicolons outside of the file: days have commas.
Result<mining::TimeWindows> as_windows(const Setting& setting) {
  const auto texts = as_list(setting, ';', "[\"Mon-Fri 20:00-06:00\"]");
  if (!texts) return tl::unexpected(texts.error());
  mining::TimeWindows windows;
  for (const std::string& text : *texts) {
    const auto added = windows.add(text);
    if (!added) return complain(setting, added.error().message);
  }
  return windows;
}

Result<std::vector<std::string>> as_client_names(const Setting& setting) {
  auto names = as_list(setting, ',', "[\"operator\"]");
  if (!names) return names;
  for (const std::string& name : *names)
    if (!net::is_client_name(name))
      return complain(setting, fmt::format("'{}' is no client's name; those have 1 to 64 of a-z, "
                                           "0-9, '.', '_' and '-'",
                                           name));
  return names;
}

Result<HostPort> as_address(const Setting& setting) {
  auto text = as_text(setting);
  if (!text) return tl::unexpected(text.error());
  auto address = parse_host_port(*text);
  if (!address) return complain(setting, address.error().message);
  return address;
}

Result<chain::NoteVerifier> as_verifier(const Setting& setting, const std::string& text,
                                        chain::NoteKeyKind kind) {
  auto verifier = chain::parse_note_verifier_key(text, kind);
  if (!verifier) return complain(setting, verifier.error().message);
  return verifier;
}

Result<std::string> as_url(const Setting& setting) {
  auto text = as_text(setting);
  if (!text) return text;
  if (const auto url = net::http::parse_url(*text); !url)
    return complain(setting, url.error().message);
  return text;
}

Result<chain::NodeId> as_node_id(const Setting& setting) {
  return as_id<chain::NodeId>(setting, "node id");
}

Result<chain::StoreId> as_store_id(const Setting& setting) {
  return as_id<chain::StoreId>(setting, "store id");
}

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

}  // namespace eventchain::node
