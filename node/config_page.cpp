#include "node/config_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "node/config_settings.h"
#include "node/program_pages.h"
#include "node/version.h"

namespace eventchain::node {

namespace {

// What the example says of a key.
struct Shown {
  std::string key;
  std::string text;         // the comment before it; empty if it stands below another's
  std::string value;        // as in TOML
  bool is_default = false;  // commented out: the value holds without it
  bool has_none = false;    // commented out and indented: an example of what has no default
                            // of its own
};

bool is_key(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos;
}

// "key = value", and nothing before it.
std::optional<Shown> read_setting(std::string_view line, const std::string& section) {
  const std::size_t equals = line.find(" = ");
  if (equals == std::string_view::npos || !is_key(line.substr(0, equals))) return std::nullopt;
  Shown shown;
  shown.key = section + "." + std::string(line.substr(0, equals));
  shown.value = line.substr(equals + 3);
  return shown;
}

std::vector<Shown> read_example() {
  std::istringstream lines{std::string(example_config())};
  std::vector<Shown> all;
  std::string section;
  std::string table;
  std::string comment;
  for (std::string line; std::getline(lines, line);) {
    const bool is_comment = line.rfind("# ", 0) == 0;
    const bool is_indented = line.rfind("#   ", 0) == 0;
    const std::string_view rest = std::string_view(line).substr(is_indented  ? 4
                                                                : is_comment ? 2
                                                                             : 0);
    // A table that has no default is an indented comment as a whole.
    if (!is_indented) table.clear();
    if (rest.starts_with("[") && (!is_comment || is_indented)) {
      const std::size_t first = rest.find_first_not_of('[');
      (is_indented ? table : section) = rest.substr(first, rest.find(']') - first);
    } else if (auto shown = read_setting(rest, table.empty() ? section : table)) {
      shown->text = std::exchange(comment, {});
      shown->has_none = is_indented;
      // What there is instead of a default stands in the comment.
      if (shown->text.ends_with("as in:\n") && shown->text.find("nless set") != std::string::npos)
        shown->has_none = false;
      // The page says that by itself.
      static constexpr std::string_view kNone = "No default, as in:\n";
      if (shown->text.ends_with(kNone)) {
        shown->text.resize(shown->text.size() - kNone.size());
        if (!shown->text.empty()) shown->text.back() = '\n';  // a space, or the line's end
      }
      shown->is_default = is_comment && !is_indented;
      // A table may be there twice.
      if (std::ranges::none_of(all, [&](const Shown& one) { return one.key == shown->key; }))
        all.push_back(std::move(*shown));
    } else if (is_comment) {
      comment += std::string(rest) + "\n";
    } else if (section.empty()) {
      comment.clear();  // about the file as a whole
    }
  }
  return all;
}

std::string describe(const Shown& shown) {
  std::string note = fmt::format("Takes {}. ", accepted_values(shown.key));
  if (shown.is_default) note += fmt::format("Default: {}.", shown.value);
  if (!shown.is_default) note += fmt::format("Example: {}.", shown.value);
  if (shown.has_none) note += " No default.";
  return fmt::format(".TP\n\\fB{}\\fR\n{}{}{}\n", roff(shown.key), roff(shown.text),
                     shown.text.empty() ? "" : ".br\n", roff(note));
}

}  // namespace

std::string settings_page() {
  std::string text = fmt::format(
      ".\\\" Made from the table of settings and the example configuration.\n"
      ".TH EVENTCHAIND.TOML 5 \"\" \"eventchain {}\" EventChain\n"
      ".ad l\n.SH NAME\neventchaind.toml \\- configuration of a node\n.SH DESCRIPTION\n"
      "A file in TOML. A key that is not listed here is an error. What a flag (\\fB\\-\\-set\\fR "
      "\\fIKEY=VALUE\\fR)\nsays goes before the environment (EVENTCHAIN_API_LISTEN for "
      "api.listen), "
      "and that before the\nfile. Relative paths are relative to the file. The package keeps it in "
      "/etc/eventchain/node.toml.\n.SH SETTINGS\n",
      kVersion);
  for (const Shown& shown : read_example()) text += describe(shown);
  return text + ".SH SEE ALSO\neventchaind(8), eventchain(1)\n";
}

std::vector<std::string> undocumented_settings() {
  const std::vector<Shown> all = read_example();
  std::vector<std::string> missing;
  for (const std::string& key : known_settings()) {
    // A line about several keys stands before the first.
    const bool is_shown = std::any_of(all.begin(), all.end(),
                                      [&key](const Shown& shown) { return shown.key == key; });
    if (!is_shown) missing.push_back(key);
  }
  return missing;
}

}  // namespace eventchain::node
