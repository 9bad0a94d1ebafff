#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

// What a program says of its command line, for those who write it down: program_pages.cpp and
// completions.cpp.
namespace eventchain::node {

using Apps = std::vector<const CLI::App*>;
using Options = std::vector<const CLI::Option*>;

// Nouns of a program, verbs of a noun. Nameless ones are groups of options.
Apps commands_of(const CLI::App& app);
// With those of its groups, without --help and what is hidden.
Options options_of(const CLI::App& app);
bool takes_value(const CLI::Option& option);
// "-o", "--output"; none for what has a place instead of a name.
std::vector<std::string> names_of(const CLI::Option& option);
// The values of an option that has few; else none.
std::vector<std::string> choices_of(const CLI::Option& option);

}  // namespace eventchain::node
