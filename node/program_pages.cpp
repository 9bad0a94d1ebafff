#include "node/program_pages.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <set>
#include <utility>
#include <vector>

#include "node/command_tree.h"
#include "node/version.h"

namespace eventchain::node {

namespace {

// The library writes what it accepts after the type: "TEXT:{a,b}", "UINT:INT in [1 - 9]",
// "ENUM:value in {a->0,b->1} OR {0,1}".
std::string placeholder(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type.substr(0, type.find(':'));
}

std::string range_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t open = type.find(" in [");
  const std::size_t middle = type.find(" - ", open == std::string::npos ? 0 : open);
  const std::size_t close = type.find(']', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || middle == std::string::npos || close == std::string::npos)
    return {};
  return fmt::format("{} to {}", type.substr(open + 5, middle - open - 5),
                     type.substr(middle + 3, close - middle - 3));
}

std::string bold(std::string_view text) {
  return "\\fB" + roff(text) + "\\fR";
}

std::string italic(std::string_view text) {
  return "\\fI" + roff(text) + "\\fR";
}

// A positional as it stands in a line of usage.
std::string usage(const CLI::Option& positional) {
  std::string text = italic(positional.get_name());
  if (positional.get_expected_max() > 1) text += "...";
  return positional.get_required() ? text : "[" + text + "]";
}

std::string describe(const CLI::Option& option) {
  std::string head;
  if (option.get_positional()) {
    head = italic(option.get_name());
  } else {
    for (const std::string& name : names_of(option))
      head += (head.empty() ? "" : ", ") + bold(name);
    if (takes_value(option)) head += " " + italic(placeholder(option));
  }
  std::vector<std::string> notes;
  if (option.get_required()) notes.emplace_back("needed");
  if (const auto choices = choices_of(option); !choices.empty())
    notes.push_back("one of " + fmt::format("{}", fmt::join(choices, ", ")));
  if (const std::string range = range_of(option); !range.empty()) notes.push_back(range);
  if (const std::string given = option.get_default_str(); !given.empty())
    notes.push_back(given + " if not given");
  if (const std::string name = option.get_envname(); !name.empty())
    notes.push_back("also in the environment as " + name);
  std::string text = roff(option.get_description());
  if (!notes.empty()) text += roff(fmt::format(" ({})", fmt::join(notes, "; ")));
  return fmt::format(".TP\n{}\n{}\n", head, text);
}

std::string describe_all(const Options& options) {
  std::string text;
  for (const CLI::Option* option : options) text += describe(*option);
  return text;
}

// A verb with all that can be said to it; a noun only introduces its verbs.
void describe_command(const CLI::App& command, const std::string& path, std::string& out) {
  const Apps verbs = commands_of(command);
  const Options options = options_of(command);
  if (!verbs.empty()) {
    out += fmt::format(".SS {}\n{}\n", roff(path), roff(command.get_description()));
    out += describe_all(options);
    for (const CLI::App* verb : verbs) describe_command(*verb, path + " " + verb->get_name(), out);
    return;
  }
  out += ".TP\n" + bold(path);
  const bool has_options = std::any_of(options.begin(), options.end(),
                                       [](const auto* one) { return one->nonpositional(); });
  if (has_options) out += " [" + italic("OPTIONS") + "]";
  for (const CLI::Option* option : options)
    if (option->get_positional()) out += " " + usage(*option);
  out += "\n" + roff(command.get_description()) + "\n";
  // The library hands a program's footer on to its commands.
  if (!command.get_footer().empty() && command.get_footer() != command.get_parent()->get_footer())
    out += ".br\n" + roff(command.get_footer()) + "\n";
  if (!options.empty()) out += ".RS\n" + describe_all(options) + ".RE\n";
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

}  // namespace

std::string roff(std::string_view text) {
  std::string out;
  bool begins_line = true;
  for (const char c : text) {
    if (begins_line && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
    begins_line = c == '\n';
  }
  return out;
}

std::string manual_page(const CLI::App& app, const ManualPage& page) {
  const std::string description = app.get_description();
  const std::size_t line = description.find('\n');
  const std::string rest = line == std::string::npos ? description : description.substr(line + 1);
  const Apps commands = commands_of(app);
  std::string text = fmt::format(
      ".\\\" Made from the command line of the program.\n"
      ".TH {} {} \"\" \"eventchain {}\" EventChain\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n",
      upper(app.get_name()), page.section, kVersion, app.get_name(),
      roff(description.substr(0, line)));
  text += bold(app.get_name()) + " [" + italic("OPTIONS") + "]";
  for (const CLI::Option* option : options_of(app))
    if (option->get_positional()) text += " " + usage(*option);
  if (!commands.empty()) text += " " + italic("COMMAND") + "...";
  text += "\n.SH DESCRIPTION\n" + roff(rest) + "\n.SH OPTIONS\n" + describe_all(options_of(app));
  if (!commands.empty()) text += ".SH COMMANDS\n";
  for (const CLI::App* command : commands) describe_command(*command, command->get_name(), text);
  if (!app.get_footer().empty())
    text += ".SH EXIT STATUS\n.nf\n" + roff(app.get_footer()) + "\n.fi\n";
  return text + ".SH SEE ALSO\n" + roff(page.see_also) + "\n";
}

void add_pages(CLI::App& app, std::map<std::string, std::function<std::string()>> pages) {
  std::set<std::string> names;
  for (const auto& page : pages) names.insert(page.first);
  app.add_option_function<std::string>("--generate",
                                       [pages = std::move(pages)](const std::string& name) {
                                         fmt::print("{}", pages.at(name)());
                                         throw CLI::Success();
                                       })
      ->check(CLI::IsMember(names))
      ->group("");
}

}  // namespace eventchain::node
