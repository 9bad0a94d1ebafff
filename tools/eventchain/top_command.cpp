#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>
#include <memory>

#include <fmt/format.h>

#include "tools/eventchain/cluster_rates.h"
#include "tools/eventchain/cluster_survey.h"
#include "tools/eventchain/cluster_text.h"
#include "tools/eventchain/session.h"
#include "tools/eventchain/table.h"

// The live view. On a terminal it has the alternate screen, so that what was there before comes
// back; elsewhere each round is printed below the one before.
namespace eventchain::tools {

namespace {

using std::chrono::milliseconds;

struct TopOptions {
  double interval = 1;  // seconds
  bool is_once = false;
};

// Signals that end the view wait until it asks for them; all threads inherit that.
sigset_t ends() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&signals, signal);
  return signals;
}

// Whether the view is to end; waits so long for that.
bool ends_within(milliseconds time) {
  const sigset_t signals = ends();
  const timespec wait{time.count() / 1000, time.count() % 1000 * 1'000'000};
  return sigtimedwait(&signals, nullptr, &wait) > 0;
}

class Screen {
 public:
  explicit Screen(bool is_live) : is_live_(is_live) {
    if (is_live_) fmt::print("\x1b[?1049h\x1b[?25l");
  }
  ~Screen() {
    if (is_live_) fmt::print("\x1b[?25h\x1b[?1049l");
    std::fflush(stdout);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // False once nobody reads any more.
  [[nodiscard]] bool show(const std::string& text) const {
    std::string out;
    if (is_live_) {
      // From the top, each line to its end, the rest empty: nothing flickers. More lines than there
      // are would scroll.
      out = "\x1b[H";
      std::size_t left = terminal_size().rows;
      for (const char c : text) {
        if (c == '\n' && left > 0 && --left == 0) break;
        out += c == '\n' ? std::string("\x1b[K\n") : std::string(1, c);
      }
      out += "\x1b[J";
    } else {
      out = text;
    }
    return std::fwrite(out.data(), 1, out.size(), stdout) == out.size() && std::fflush(stdout) == 0;
  }

 private:
  const bool is_live_;
};

milliseconds steady_now() {
  return std::chrono::duration_cast<milliseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
}

std::string round_text(ClusterRates& rates, const ClusterView& view, bool is_live) {
  const TableShape shape{is_live ? terminal_size().columns : 0, false};
  std::string warnings;
  for (const ClusterWarning& one : view.warnings)
    if (one.severity != "notice")
      warnings += printable(fmt::format("{}: {}{}{}", one.severity, one.node,
                                        one.node.empty() ? "" : ": ", one.text)) +
                  "\n";
  return clipped(cluster_line(view), shape.width) + "\n" +
         rates.table_of(view, steady_now(), shape) +
         (warnings.empty() ? "" : "\n" + clipped(warnings, shape.width)) +
         (is_live ? "\n" : "\n\n");
}

void show_top(Session& session, const TopOptions& options) {
  const sigset_t signals = ends();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const milliseconds interval(static_cast<std::int64_t>(options.interval * 1000));
  // A node that gives no answer must not slow the view down much.
  ClusterSurvey survey(session, std::clamp(interval, milliseconds(500), milliseconds(2000)));
  ClusterRates rates;
  const bool is_live = !options.is_once && isatty(STDOUT_FILENO) != 0;
  ClusterView view = survey.look();
  if (options.is_once) {
    // Rates need two looks.
    static_cast<void>(rates.table_of(view, steady_now(), {}));
    if (!ends_within(interval)) view = survey.look();
    fmt::print("{}", round_text(rates, view, false));
  } else {
    const Screen screen(is_live);
    milliseconds next = steady_now();
    while (screen.show(round_text(rates, view, is_live))) {
      next = std::max(next + interval, steady_now());
      if (ends_within(next - steady_now())) break;
      view = survey.look();
    }
  }
  if (!view.is_ready) session.exit = Exit::kUnreachable;
}

}  // namespace

void add_top_command(CLI::App& cluster, Session& session) {
  const auto options = std::make_shared<TopOptions>();
  CLI::App* top = cluster.add_subcommand(
      "top", "the live view: rates of events, blocks and hashes of every node, until Ctrl-C");
  top->add_option("--interval", options->interval, "seconds between two looks")
      ->check(CLI::Range(0.2, 3600.0))
      ->capture_default_str();
  top->add_flag("--once", options->is_once, "one table, of the first interval");
  top->callback([&session, options] {
    if (session.as_json)
      throw CommandFailed{Exit::kUsage, "cluster top is for people; programs take cluster status"};
    show_top(session, *options);
  });
}

}  // namespace eventchain::tools
