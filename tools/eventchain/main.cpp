#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>

#include <fmt/format.h>

#include "node/completions.h"
#include "node/program_pages.h"
#include "node/version.h"
#include "tools/eventchain/endpoint_poll.h"
#include "tools/eventchain/session.h"

namespace eventchain::tools {

namespace {

void add_shared_options(CLI::App& app, Session& session) {
  app.add_option("--endpoint", session.endpoints,
                 "a node's API, http://HOST:PORT or https://HOST:PORT; several are tried in turn")
      ->envname("EVENTCHAIN_ENDPOINT")
      ->delimiter(',')
      ->type_name("URL");
  app.add_option("--ca", session.tls.ca, "certificate of the authority (PEM)")
      ->envname("EVENTCHAIN_CA")
      ->type_name("FILE");
  app.add_option("--cert", session.tls.certificate, "own certificate (PEM)")
      ->envname("EVENTCHAIN_CERT")
      ->type_name("FILE");
  app.add_option("--key", session.tls.key, "key of the own certificate (PEM)")
      ->envname("EVENTCHAIN_KEY")
      ->type_name("FILE");
  app.add_option_function<std::string>(
         "-o,--output", [&session](const std::string& form) { session.as_json = form == "json"; },
         "table (for people) or json (for programs)")
      ->envname("EVENTCHAIN_OUTPUT")
      ->check(CLI::IsMember({"table", "json"}))
      ->type_name("FORM");
}

int run(int argc, char** argv) {
  Session session;
  CLI::App app(
      "everything a person does with EventChain\n"
      "Results go to standard output, progress and complaints to standard error.",
      "eventchain");
  app.footer(
      "Exit codes: 0 ok, 1 error, 2 usage, 3 tampering or failed verification, 4 not yet,\n"
      "5 no quorum or unreachable, 6 a chain of which voters have certified nothing.");
  app.set_version_flag("--version", node::kVersion);
  app.require_subcommand(1);
  app.fallthrough();
  add_shared_options(app, session);
  add_event_commands(app, session);
  add_receipt_commands(app, session);
  add_evidence_commands(app, session);
  add_cluster_commands(app, session);
  add_chain_commands(app, session);
  add_mining_commands(app, session);
  add_setup_commands(app, session);
  add_witness_commands(app, session);
  add_bench_command(app, session);
  add_doctor_command(app, session);
  const node::ManualPage page{"1", "eventchaind(8), eventchaind.toml(5)"};
  node::add_pages(app, {{"man", [&app, &page] { return node::manual_page(app, page); }},
                        {"bash", [&app] { return node::bash_completion(app); }},
                        {"zsh", [&app] { return node::zsh_completion(app); }},
                        {"fish", [&app] { return node::fish_completion(app); }}});
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(Exit::kUsage);
  } catch (const CommandFailed& failure) {
    fmt::print(stderr, "eventchain: {}\n", failure.message);
    return static_cast<int>(failure.exit);
  }
  return static_cast<int>(session.exit);
}

}  // namespace
}  // namespace eventchain::tools

int main(int argc, char** argv) {
  try {
    const int code = eventchain::tools::run(argc, argv);
    if (!eventchain::tools::EndpointPoll::has_stragglers()) return code;
    // Static objects stay for threads that nobody can end.
    std::fflush(nullptr);
    std::_Exit(code);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "eventchain: %s\n", error.what());
    return static_cast<int>(eventchain::tools::Exit::kError);
  }
}
