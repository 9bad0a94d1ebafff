#include "tools/eventchain/dpkg_log.h"

#include <array>
#include <boost/json.hpp>
#include <ctime>
#include <vector>

#include <fmt/format.h>

#include "chain/hash.h"
#include "chain/text.h"

namespace eventchain::tools {

namespace json = boost::json;

namespace {

constexpr std::array<std::string_view, 7> kActions = {
    "install", "upgrade", "configure", "trigproc", "disappear", "remove", "purge"};

bool is_action(std::string_view word) {
  for (const std::string_view action : kActions)
    if (word == action) return true;
  return false;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t blank = text.find(' ');
    if (blank != 0) words.push_back(text.substr(0, blank));
    if (blank == std::string_view::npos) break;
    text.remove_prefix(blank + 1);
  }
  return words;
}

// dpkg writes local time without saying so; the host's own zone is what it meant.
std::optional<std::string> timestamp(std::string_view date, std::string_view clock) {
  if (!chain::is_timestamp(fmt::format("{}T{}Z", date, clock))) return std::nullopt;
  std::tm local{};
  const std::string text = fmt::format("{} {}", date, clock);
  if (::strptime(text.c_str(), "%Y-%m-%d %H:%M:%S", &local) == nullptr) return std::nullopt;
  local.tm_isdst = -1;
  const std::time_t seconds = ::mktime(&local);
  std::tm utc{};
  if (::gmtime_r(&seconds, &utc) == nullptr) return std::nullopt;
  std::array<char, 32> out{};
  const std::size_t size = std::strftime(out.data(), out.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return std::string(out.data(), size);
}

json::string_view view(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

std::optional<std::string> dpkg_event(const DpkgLine& line) {
  const std::vector<std::string_view> words = words_of(line.text);
  if (words.size() < 4 || words.size() > 6 || !is_action(words[2])) return std::nullopt;
  const std::optional<std::string> time = timestamp(words[0], words[1]);
  if (!time) return std::nullopt;
  json::object data{{"action", view(words[2])}, {"package", view(words[3])}};
  const auto add_version = [&](const char* name, std::size_t place) {
    if (words.size() > place && words[place] != "<none>") data[name] = view(words[place]);
  };
  add_version("installed_version", 4);
  add_version("available_version", 5);
  const std::string digest = chain::to_hex(chain::sha256(line.text)).substr(0, 16);
  const json::object event{
      {"specversion", "1.0"},
      {"id", fmt::format("{}-{}", line.number, digest)},
      {"source", view(line.source)},
      {"type", "org.debian.dpkg." + std::string(words[2])},
      {"time", *time},
      {"stream", view(words[3])},
      {"datacontenttype", "application/json"},
      {"data", std::move(data)},
  };
  return json::serialize(event);
}

std::string dpkg_source(std::string_view host, std::string_view absolute_path) {
  if (absolute_path.ends_with(".gz")) absolute_path.remove_suffix(3);
  const std::size_t dot = absolute_path.find_last_of('.');
  if (dot != std::string_view::npos &&
      absolute_path.find_first_not_of("0123456789", dot + 1) == std::string_view::npos)
    absolute_path = absolute_path.substr(0, dot);
  return fmt::format("file://{}{}", host, absolute_path);
}

}  // namespace eventchain::tools
