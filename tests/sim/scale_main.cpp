// A cluster of hundreds of nodes, and what it costs: prints a table (SCALE.md has one).

#include <CLI/CLI.hpp>

#include <cstdio>
#include <ctime>
#include <exception>

#include "tests/sim/scale.h"
#include "tests/sim/split.h"
#include "tests/sim/trace.h"

namespace {

using namespace eventchain::sim;

double seconds_of(Span span) {
  return std::chrono::duration<double>(span).count();
}
double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

void row(const std::string& what, const std::string& figures) {
  fmt::print("| {} | {} |\n", what, figures);
}
void row(const std::string& what, const Spread& spread) {
  const bool is_short = spread.max < std::chrono::seconds(1);
  const double unit = is_short ? 1000 : 1;
  row(what, fmt::format("{:.1f} / {:.1f} / {:.1f} {}", unit * seconds_of(spread.p50),
                        unit * seconds_of(spread.p99), unit * seconds_of(spread.max),
                        is_short ? "ms" : "s"));
}
void row(const std::string& what, const Share& share) {
  row(what, fmt::format("{:.2f}, at most {:.2f}", share.mean, share.max));
}

void print_kind(const char* who, const ScaleKind& kind) {
  row(fmt::format("links of {}", who), kind.links);
  row(fmt::format("copies of a body that {} receives", who), kind.copies_received);
  row(fmt::format("copies of a body that {} sends", who), kind.copies_sent);
  row(fmt::format("octets that {} sends for each of the bodies", who), kind.octets_sent);
}

void print_mining(const char* who, const ScaleMining& mining) {
  row(fmt::format("hashes found in a second, {}", who),
      fmt::format("{:.1f}; {:.1f} while there is a template ({} blocks, {} shares)", mining.rate,
                  mining.rate_busy, mining.blocks, mining.shares));
  row(fmt::format("meanwhile, {}", who),
      fmt::format("{} elections, {} events durable", mining.elections, mining.events));
}

void print_report(const ScaleOptions& options, const ScaleReport& report) {
  fmt::print("| {} voters, {} observers | seed {} |\n|---|---|\n", options.voters,
             options.observers, options.seed);
  row("admission of the observers until the last has caught up",
      fmt::format("{:.1f} s, {} blocks, {} dials refused", seconds_of(report.admission),
                  report.admission_blocks, report.dials_refused));
  print_kind("an observer", report.observers);
  print_kind("a voter", report.voters);
  row("octets on the wire for each of the bodies and each node",
      fmt::format("{:.2f}; {:.2f} in messages with bodies", report.octets_per_node,
                  report.octets_with_bodies_per_node));
  row("submitted at an observer until durable, p50 / p99 / max", report.observers.durable);
  row("submitted at a voter until durable", report.voters.durable);
  row("submitted until applied at the first node", report.completed);
  row("submitted until applied, of all nodes and events", report.anywhere);
  row("submitted until applied at all nodes", report.everywhere);
  row("a block from the first node that has applied it to the last", report.block_spread);
  print_mining("all", report.all);
  print_mining("half", report.half);
  row("rate of half by rate of all",
      fmt::format("{:.3f}; {:.3f} while there is a template", report.half.rate / report.all.rate,
                  report.half.rate_busy / report.all.rate_busy));
  row("shares of blocks, each found by the owner of its slot",
      fmt::format("{}", report.shares_checked));
  row("durable events without a place at the end", fmt::format("{}", report.unplaced));
  row("a killed voter until another votes in its place, less the grace time",
      fmt::format("{:.1f} s", seconds_of(report.follower_replaced)));
  row("the same of the leader", fmt::format("{:.1f} s", seconds_of(report.leader_replaced)));
  for (const auto& memory : report.memory)
    row(fmt::format("memory of the process for each node at height {}", memory.height),
        fmt::format("{:.2f} MB resident, {:.2f} MB in use", memory.resident / 1e6,
                    memory.in_use / 1e6));
  row("of that, of an observer", fmt::format("{:.2f} MB core and links, {:.2f} MB store in memory",
                                             report.core_octets / 1e6, report.store_octets / 1e6));
  row("all of it",
      fmt::format("{} blocks, {} elections, {:.1f} million messages, {:.0f} virtual s, "
                  "{:.0f} CPU s, trace {:016x}",
                  report.blocks, report.elections, static_cast<double>(report.messages) / 1e6,
                  seconds_of(report.virtual_time), cpu_seconds(), report.trace_hash));
}

// The same cluster with 1, 2, 4, .. miners, up to all of it.
void print_split(SplitOptions options, std::size_t nodes) {
  options.observers = nodes - options.voters;
  fmt::print(
      "| miners | seconds for a block | by their rate alone | shares found | on dead templates | "
      "without work |\n|---|---|---|---|---|---|\n");
  for (options.miners = 1; options.miners <= nodes; options.miners *= 2) {
    const SplitReport report = run_split(options);
    if (!report.target_stayed) throw Violation("split", "the target has changed meanwhile");
    fmt::print("| {} | {:.2f} | {:.2f} ({:+.1f} %) | {} in {} blocks | {:.2f} % | {:.2f} % |\n",
               options.miners, seconds_of(report.block_time), seconds_of(report.expected),
               100 * (seconds_of(report.block_time) / seconds_of(report.expected) - 1),
               report.shares, report.blocks, 100 * report.on_dead_templates,
               100 * report.without_work);
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "A cluster of hundreds of nodes in a sparse mesh, in virtual time, and what it costs");
  ScaleOptions options;
  bool prints = false;
  app.add_option("--seed", options.seed, "");
  app.add_option("--voters", options.voters, "")->check(CLI::IsMember({3, 5, 7}));
  app.add_option("--observers", options.observers, "")->check(CLI::Range(4, 1000));
  app.add_option("--events", options.events, "events that are measured")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--body", options.body_bytes, "octets of data in an event")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--interval", options.interval_ms, "between blocks, in milliseconds")
      ->check(CLI::Range(100, 3'600'000));
  app.add_option("--shares", options.share_count, "of a block")->check(CLI::Range(1, 256));
  app.add_option("--blocks", options.mining_blocks, "to mine with all nodes, and with half")
      ->check(CLI::Range(1, 100'000));
  app.add_option("--grace", options.grace_ms, "of the policy, in milliseconds");
  app.add_flag("--stages", prints, "say on stderr how far it is");
  std::size_t split = 0;
  app.add_option("--split", split,
                 "instead: so many nodes, of which 1, 2, 4, .. mine, --blocks for each")
      ->check(CLI::Range(4, 256));
  CLI11_PARSE(app, argc, argv);
  if (prints)
    options.says = [](const std::string& what) {
      fmt::print(stderr, "{:>5.1f} CPU s, virtual {}\n", cpu_seconds(), what);
    };
  try {
    if (split > 0) {
      print_split({.seed = options.seed,
                   .voters = 3,
                   .share_count = options.share_count,
                   .blocks = options.mining_blocks},
                  split);
      return 0;
    }
    print_report(options, run_scale(options));
    return 0;
  } catch (const std::exception& broken) {
    fmt::print("broke {}\nreplay: scale --seed {} --voters {} --observers {} --events {}\n",
               broken.what(), options.seed, options.voters, options.observers, options.events);
    return 1;
  }
}
