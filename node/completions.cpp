#include "node/completions.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "node/command_tree.h"

namespace eventchain::node {

namespace {

// --- bash ---------------------------------------------------------------------------------------

// Arms of a `case`, for places in the tree of commands: "/noun/verb".
struct Completion {
  std::string nouns;   // which words lead to another place
  std::string places;  // commands and options of each
  std::string values;  // what an option of a place takes; options of the program last, in any place
};

// `shared`: options of the program, which may stand behind each command.
void complete(const CLI::App& app, const std::string& path, const std::string& shared,
              Completion& out) {
  std::vector<std::string> words;
  for (const CLI::App* command : commands_of(app)) {
    words.push_back(command->get_name());
    const std::string place = path + "/" + command->get_name();
    out.nouns += fmt::format("{}\"{}\"", out.nouns.empty() ? "" : " | ", place);
  }
  std::string further = shared;
  for (const CLI::Option* option : options_of(app))
    for (const std::string& name : names_of(*option))
      if (path.empty()) further += " " + name;
  for (const CLI::App* command : commands_of(app))
    complete(*command, path + "/" + command->get_name(), further, out);
  for (const CLI::Option* option : options_of(app)) {
    const std::string choices = fmt::format("{}", fmt::join(choices_of(*option), " "));
    for (const std::string& name : names_of(*option)) {
      words.push_back(name);
      if (!takes_value(*option)) continue;
      out.values += path.empty() ? "    *:" + name : fmt::format("    \"{}:{}\"", path, name);
      out.values += choices.empty() ? ") return ;;\n" : fmt::format(") words=\"{}\" ;;\n", choices);
    }
  }
  words.emplace_back("--help");
  out.places += fmt::format("    \"{}\") words=\"{}{}\" ;;\n", path, fmt::join(words, " "), shared);
}

// --- zsh and fish -------------------------------------------------------------------------------

// Where a line may stand: behind "noun verb".
struct Place {
  std::string path;  // "/noun/verb"; empty: behind the program
  const CLI::App* app;
};

void add_places(const CLI::App& app, const std::string& path, std::vector<Place>& places) {
  places.push_back({path, &app});
  for (const CLI::App* command : commands_of(app))
    add_places(*command, path + "/" + command->get_name(), places);
}

std::vector<Place> places_of(const CLI::App& app) {
  std::vector<Place> places;
  add_places(app, "", places);
  return places;
}

// What a line of a menu has room for.
std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

// Between single quotes of a shell, where `escaped` stands for one.
std::string quoted(std::string_view text, std::string_view escaped) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string(escaped) : std::string(1, c);
  return out + "'";
}

std::string zsh_quoted(std::string_view text) {
  return quoted(text, "'\\''");
}

// An entry of _describe: NAME:TEXT.
std::string zsh_entry(const std::string& name, const std::string& about) {
  std::string plain;
  for (const char c : name) plain += c == ':' ? std::string("\\:") : std::string(1, c);
  return zsh_quoted(plain + ":" + first_line(about));
}

std::string fish_quoted(std::string_view text) {
  std::string plain;
  for (const char c : text) plain += c == '\\' ? std::string("\\\\") : std::string(1, c);
  return quoted(plain, "\\'");
}

std::string filled(std::string_view form,
                   const std::vector<std::pair<std::string_view, std::string>>& parts) {
  std::string text(form);
  for (const auto& [mark, part] : parts)
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + part.size()))
      text.replace(at, mark.size(), part);
  return text;
}

constexpr const char* kHelp = "Print this help message and exit";

// One line of `complete` for an option; `condition` is empty where it may stand anywhere.
std::string fish_option(const std::string& program, const std::string& condition,
                        const CLI::Option& option) {
  std::string line = "complete -c " + program + condition;
  for (const std::string& name : option.get_snames()) line += " -s " + name;
  for (const std::string& name : option.get_lnames()) line += " -l " + name;
  if (takes_value(option)) {
    const auto choices = choices_of(option);
    line += choices.empty()
                ? " -r -F"
                : fmt::format(" -x -a {}", fish_quoted(fmt::format("{}", fmt::join(choices, " "))));
  }
  return line + " -d " + fish_quoted(first_line(option.get_description())) + "\n";
}

bool has_name(const CLI::Option& option) {
  return !names_of(option).empty();
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  Completion made;
  complete(app, "", "", made);
  static constexpr std::string_view kForm = R"(# Made from the command line of the program.
_@NAME@() {
  local word path='' words='' cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $path/$word in
    @NOUNS@) path=$path/$word ;;
    esac
  done
  COMPREPLY=()
  case $path:$prev in
@VALUES@  esac
  if [ -z "$words" ]; then
    case $path in
@PLACES@    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o default -F _@NAME@ @NAME@
)";
  std::string text(kForm);
  const std::string name = app.get_name();
  // A pattern that nothing matches where there are no commands.
  const std::pair<std::string_view, std::string> parts[] = {
      {"@NAME@", name},          {"@NAME@", name},
      {"@NAME@", name},          {"@NOUNS@", made.nouns.empty() ? "''" : made.nouns},
      {"@VALUES@", made.values}, {"@PLACES@", made.places},
  };
  for (const auto& [mark, part] : parts) text.replace(text.find(mark), mark.size(), part);
  return text;
}

std::string zsh_completion(const CLI::App& app) {
  std::string nouns;
  std::string values;
  std::string offers;
  std::string shared;
  for (const CLI::Option* option : options_of(app)) {
    for (const std::string& name : names_of(*option))
      shared += " " + zsh_entry(name, option->get_description());
  }
  shared += " " + zsh_entry("--help", kHelp);
  for (const Place& place : places_of(app)) {
    if (!place.path.empty()) nouns += (nouns.empty() ? "" : "|") + zsh_quoted(place.path);
    std::string commands;
    std::string options;
    for (const CLI::App* command : commands_of(*place.app))
      commands += " " + zsh_entry(command->get_name(), command->get_description());
    for (const CLI::Option* option : options_of(*place.app)) {
      const std::string choices = fmt::format("{}", fmt::join(choices_of(*option), " "));
      for (const std::string& name : names_of(*option)) {
        if (!place.path.empty()) options += " " + zsh_entry(name, option->get_description());
        if (!takes_value(*option)) continue;
        values += fmt::format("    {}{}) ", place.path.empty() ? "*" : zsh_quoted(place.path),
                              zsh_quoted(":" + name));
        values += choices.empty()
                      ? "_files; return ;;\n"
                      : fmt::format("values=({}); _describe value values; return ;;\n", choices);
      }
    }
    offers += fmt::format("    {}) commands=({}) options=({}) ;;\n", zsh_quoted(place.path),
                          commands, options);
  }
  static constexpr std::string_view kForm = R"(#compdef @NAME@
# Made from the command line of the program.
_@NAME@() {
  local place='' word
  local -a commands options values
  for word in "${(@)words[2,CURRENT-1]}"; do
    case $place/$word in
    @NOUNS@) place=$place/$word ;;
    esac
  done
  case $place:${words[CURRENT-1]} in
@VALUES@  esac
  case $place in
@OFFERS@  esac
  options+=(@SHARED@)
  (( ${#commands} )) && _describe command commands
  _describe -o option options
  (( ${#commands} )) || _files
}
# zsh loads the file as the function of its name; who reads it with `source` has it registered.
if [[ ${funcstack[1]} == _@NAME@ ]]; then
  _@NAME@ "$@"
elif (( ${+functions[compdef]} )); then
  compdef _@NAME@ @NAME@
fi
)";
  // A pattern that nothing matches where there are no commands.
  return filled(kForm, {{"@NAME@", app.get_name()},
                        {"@NOUNS@", nouns.empty() ? "''" : nouns},
                        {"@VALUES@", values},
                        {"@OFFERS@", offers},
                        {"@SHARED@", shared}});
}

std::string fish_completion(const CLI::App& app) {
  const std::string& program = app.get_name();
  std::string places;
  std::string lines;
  for (const Place& place : places_of(app)) {
    const bool is_program = place.path.empty();
    if (!is_program) places += " " + place.path;
    const std::string here =
        fmt::format(" -n {}", fish_quoted(fmt::format("__{}_at \"{}\"", program, place.path)));
    const Apps commands = commands_of(*place.app);
    if (!commands.empty()) lines += fmt::format("complete -c {}{} -f\n", program, here);
    for (const CLI::App* command : commands)
      lines += fmt::format("complete -c {}{} -f -a {} -d {}\n", program, here, command->get_name(),
                           fish_quoted(first_line(command->get_description())));
    for (const CLI::Option* option : options_of(*place.app))
      if (has_name(*option)) lines += fish_option(program, is_program ? "" : here, *option);
  }
  static constexpr std::string_view kForm = R"(# Made from the command line of the program.
function __@NAME@_at --description 'Whether the commands before the cursor are these'
    set -l place ''
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        contains -- $place/$word@PLACES@
        and set place $place/$word
    end
    test "$place" = "$argv[1]"
end
@LINES@complete -c @NAME@ -s h -l help -d '@HELP@'
)";
  return filled(kForm,
                {{"@NAME@", program}, {"@PLACES@", places}, {"@LINES@", lines}, {"@HELP@", kHelp}});
}

}  // namespace eventchain::node
