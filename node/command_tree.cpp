#include "node/command_tree.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace eventchain::node {

Apps commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* command) {
    return !command->get_name().empty() && !command->get_group().empty();
  });
}

Options options_of(const CLI::App& app) {
  Options options = app.get_options([&app](const CLI::Option* option) {
    return !option->get_group().empty() && option != app.get_help_ptr();
  });
  for (const CLI::App* group :
       app.get_subcommands([](const CLI::App* one) { return one->get_name().empty(); }))
    for (const CLI::Option* option : options_of(*group)) options.push_back(option);
  return options;
}

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

// As the library writes it: program_pages.cpp.
std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t open = type.find('{');
  const std::size_t close = type.find('}');
  std::vector<std::string> choices;
  if (open == std::string::npos || close == std::string::npos) return choices;
  for (std::size_t at = open + 1; at < close;) {
    const std::size_t end = std::min(type.find(',', at), close);
    const std::string choice = type.substr(at, end - at);
    choices.push_back(choice.substr(0, choice.find("->")));
    at = end + 1;
  }
  return choices;
}

}  // namespace eventchain::node
