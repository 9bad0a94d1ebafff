#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>

#include <fmt/format.h>

#include "tools/eventchain/cluster_survey.h"
#include "tools/eventchain/cluster_text.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/session.h"

namespace eventchain::tools {

namespace {

struct StatusOptions {
  unsigned timeout_ms = 2000;
  bool is_wide = false;
  bool fails_on_warning = false;
};

void show_status(Session& session, const StatusOptions& options) {
  ClusterSurvey survey(session, std::chrono::milliseconds(options.timeout_ms));
  const ClusterView view = survey.look();
  if (session.as_json) {
    fmt::print("{}", pretty(cluster_json(view)));
  } else {
    const std::string warnings = warnings_text(view);
    fmt::print("{}\n{}{}{}", nodes_text(view, {terminal_size().columns, options.is_wide}), warnings,
               warnings.empty() ? "" : "\n", cluster_line(view));
  }
  if (!view.is_ready)
    session.exit = Exit::kUnreachable;
  else if (options.fails_on_warning && view.has_warnings())
    session.exit = Exit::kError;
}

}  // namespace

void add_status_command(CLI::App& cluster, Session& session) {
  const auto options = std::make_shared<StatusOptions>();
  CLI::App* status = cluster.add_subcommand(
      "status",
      "every node and what to do about it, found by way of any one; exit code 5 without a leader");
  status->add_flag("--wide", options->is_wide, "all columns, however wide the terminal is");
  status->add_flag("--fail-on-warning", options->fails_on_warning,
                   "exit code 1 if there is anything worse than a notice");
  status->add_option("--timeout-ms", options->timeout_ms, "how long each node may take to answer")
      ->check(CLI::Range(100, 60'000))
      ->capture_default_str();
  status->callback([&session, options] { show_status(session, *options); });
}

}  // namespace eventchain::tools
