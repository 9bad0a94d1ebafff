#include "node/program.h"

#include <fmt/format.h>
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <string>
#include <vector>

#include "node/completions.h"
#include "node/config.h"
#include "node/config_page.h"
#include "node/daemon.h"
#include "node/deployment.h"
#include "node/mining_setup.h"
#include "node/program_pages.h"
#include "node/signals.h"
#include "node/version.h"

extern char** environ;

namespace eventchain::node {
namespace {

int complain(const chain::Error& error) {
  fmt::print(stderr, "eventchaind: {}\n", error.message);
  return kExitFailed;
}

// `eventchaind mine`: until it is told to end.
int mine(const Config& config, std::uint16_t feature_level) {
  arrange_signals();
  Log log(config.log_level, config.log_format);
  log.write(Notice::Level::kInfo, fmt::format("started version={} as a miner", kVersion));
  const auto process = start_miner_process(config, feature_level, log);
  while (wait_for_signal() == Told::kReload)
    log.write(Notice::Level::kInfo, "a miner has nothing to reload");
  log.write(Notice::Level::kInfo, "stopped");
  // Not by way of destructors: they would wait for threads at idle priority, which may not run
  // again for long on a busy host. There is nothing to put away.
  std::_Exit(kExitOk);
}

// A batch or a block takes and returns megabytes many times a second. Given back to the kernel each
// time, they would return as page faults.
void keep_freed_memory() {
  constexpr int kMegabyte = 1024 * 1024;
  mallopt(M_MMAP_THRESHOLD, 32 * kMegabyte);
  mallopt(M_TRIM_THRESHOLD, 128 * kMegabyte);
}

// The codes are those of daemon.h.
constexpr const char* kExitCodes =
    "Exit codes:\n"
    "  0   it was told to stop\n"
    "  1   configuration, files or addresses: see the message\n"
    "  2   the command line\n"
    "  69  it was removed from the cluster; do not restart it, its data may be archived or purged\n"
    "  70  its disk is an older copy of itself; do not restart it, remove the member and let the\n"
    "      node join anew\n"
    "  74  the disk failed; a restart recovers, or says why not\n"
    "  76  its program is below the cluster's feature level; install the newer version, then "
    "start\n"
    "  78  node.light is set and the cluster knows a full member, or the reverse";

void add_pages_of(CLI::App& app) {
  const ManualPage page{"8", "eventchaind.toml(5), eventchain(1)"};
  add_pages(app, {{"man", [&app, page] { return manual_page(app, page); }},
                  {"man-settings", settings_page},
                  {"example", [] { return std::string(example_config()); }},
                  {"bash", [&app] { return bash_completion(app); }},
                  {"zsh", [&app] { return zsh_completion(app); }},
                  {"fish", [&app] { return fish_completion(app); }}});
}

}  // namespace

int run_program(int argc, char** argv, std::uint16_t feature_level) {
  std::string file;
  std::vector<std::string> settings;
  bool check_only = false;
  CLI::App app(
      "node of EventChain, a private, tamper-evident chain of events\n"
      "Runs in the foreground until SIGTERM or SIGINT, and reads certificates and keys again at "
      "SIGHUP.\n"
      "It tells a service manager (sd_notify) when it has caught up.",
      "eventchaind");
  app.footer(kExitCodes);
  app.set_version_flag("--version", kVersion);
  app.add_option("--config", file, "configuration (TOML)")->required()->type_name("FILE");
  app.add_option("--set", settings, "a setting that overrides file and environment")
      ->type_name("KEY=VALUE");
  app.add_flag("--check-config", check_only, "check configuration, genesis and files, then exit");
  const CLI::App* const mining =
      app.add_subcommand(
             "mine",
             "mine for the node that has mining.run = \"process\", as a process of its "
             "own; needs [mining] of the node's configuration, or a file with that alone")
          ->footer("Takes --config, --set and --check-config as eventchaind does.")
          ->fallthrough();
  add_pages_of(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  Overrides flags;
  for (const auto& setting : settings) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos)
      return complain(
          {chain::ErrorCode::kInvalid,
           fmt::format("--set {}: write KEY=VALUE, e.g. api.listen=127.0.0.1:8100", setting)});
    flags[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  const auto environment = overrides_from_environment(environ);
  if (!environment) return complain(environment.error());
  const bool mines = mining->parsed();
  const auto config =
      mines ? load_miner_config(file, *environment, flags) : load_config(file, *environment, flags);
  if (!config) return complain(config.error());
  if (check_only && mines) {
    fmt::print("{}: ok\n", file);
    return kExitOk;
  }
  if (mines) return mine(*config, feature_level);
  if (check_only) {
    const auto checked = check_deployment(*config);
    if (!checked) return complain(checked.error());
    fmt::print("{}: ok\n", file);
    return kExitOk;
  }
  arrange_signals();
  keep_freed_memory();
  auto daemon = Daemon::start(*config, feature_level);
  if (!daemon) {
    complain(daemon.error().error);
    return daemon.error().exit_code;
  }
  return (*daemon)->run();
}

}  // namespace eventchain::node
