#include <CLI/CLI.hpp>
#include <memory>

#include <fmt/format.h>

#include "tools/eventchain/session.h"
#include "tools/eventchain/witness_key.h"

namespace eventchain::tools {

void add_witness_commands(CLI::App& app, Session&) {
  CLI::App* witness = app.add_subcommand("witness", "vouching for other clusters' logs");
  witness->require_subcommand(1);
  struct Making {
    std::string directory, name;
  };
  const auto making = std::make_shared<Making>();
  CLI::App* key = witness->add_subcommand(
      "key", "make a witness' key and memory, and print its verifier key for the logs' operators");
  key->add_option("DIR", making->directory,
                  "witness.directory of a node; printed only, if it is one")
      ->required();
  key->add_option("--name", making->name,
                  "what its cosignatures bear, e.g. sister.example.org/w1; needed for a new one");
  key->callback([making] {
    fmt::print("{}\n", value_or_stop(make_witness(making->directory, making->name)));
  });
}

}  // namespace eventchain::tools
