#pragma once

#include <string>

namespace CLI {
class App;
}

// Shell completions of a program, made of its own command line: nouns, verbs, options, and the
// values of options that have few. Everything else completes to file names. zsh and fish also show
// what each is for.
namespace eventchain::node {

// For a file that bash-completion loads: completions/PROGRAM.
std::string bash_completion(const CLI::App& app);
// For a file of zsh's fpath: _PROGRAM.
std::string zsh_completion(const CLI::App& app);
// For a file of vendor_completions.d: PROGRAM.fish.
std::string fish_completion(const CLI::App& app);

}  // namespace eventchain::node
