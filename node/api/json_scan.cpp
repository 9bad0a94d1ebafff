#include "node/api/json_scan.h"

#include <algorithm>

namespace eventchain::node::api {

namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::size_t kQuotedMax = 40;

std::size_t skip_space(std::string_view json, std::size_t at) {
  while (at < json.size() && kSpace.find(json[at]) != std::string_view::npos) ++at;
  return at;
}

// Behind the closing quote of the string that opens at `at`.
std::size_t skip_string(std::string_view json, std::size_t at) {
  for (++at; at < json.size(); ++at) {
    if (json[at] == '"') return at + 1;
    if (json[at] == '\\') ++at;
  }
  return json.size();
}

// Behind the bracket that closes the one at `at`.
std::size_t skip_container(std::string_view json, std::size_t at) {
  std::size_t open = 0;
  while (at < json.size()) {
    switch (json[at]) {
      case '"':
        at = skip_string(json, at);
        continue;
      case '{':
      case '[':
        ++open;
        break;
      case '}':
      case ']':
        if (--open == 0) return at + 1;
        break;
      default:
        break;
    }
    ++at;
  }
  return json.size();
}

}  // namespace

std::string_view value_after_key(std::string_view json, std::size_t behind) {
  std::size_t at = skip_space(json, behind);
  if (at >= json.size() || json[at] != ':') return {};
  at = skip_space(json, at + 1);
  if (at >= json.size()) return {};
  std::size_t end = at;
  if (json[at] == '"')
    end = skip_string(json, at);
  else if (json[at] == '{' || json[at] == '[')
    end = skip_container(json, at);
  else
    end = std::min(json.find_first_of(",}] \t\r\n", at), json.size());
  return json.substr(at, end - at);
}

std::string in_quotes(std::string_view name) {
  std::string text = "'";
  for (char c : name.substr(0, kQuotedMax)) text.push_back(c >= 0x20 && c < 0x7f ? c : '?');
  return text + (name.size() > kQuotedMax ? "...'" : "'");
}

}  // namespace eventchain::node::api
