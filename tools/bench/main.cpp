#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "tools/bench/cost.h"
#include "tools/bench/load.h"
#include "tools/bench/sync_probe.h"

namespace eventchain::bench {

namespace {

struct Options {
  LoadPlan plan;
  std::vector<std::string> endpoints;
  std::vector<std::filesystem::path> data;
  double warm_up = 2;
  double measured = 10;
  double watch_ms = 0;
  unsigned pause_ms = 0;
  unsigned runs = 3;
  unsigned drain_seconds = 120;
  unsigned ready_seconds = 20;
  std::string label = "load";
  std::string row_file;
};

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

void add_options(CLI::App& app, Options& options) {
  LoadPlan& plan = options.plan;
  app.add_option("--endpoint", options.endpoints, "http://IPV4:PORT of a node; repeatable")
      ->required();
  app.add_option("--connections", plan.connections, "each sends when it has its answer")
      ->capture_default_str()
      ->check(CLI::Range(1, 512));
  app.add_option("--batch", plan.request.batch, "events per request")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000));
  app.add_option("--wait", plan.request.wait, "what an answer waits for")
      ->capture_default_str()
      ->check(CLI::IsMember({"received", "durable", "completed"}));
  app.add_option("--event-bytes", plan.request.event_bytes, "of an event's JSON text")
      ->capture_default_str()
      ->check(CLI::Range(kEventBytesMin, std::size_t{100'000}));
  app.add_option("--streams", plan.request.streams, "streams the events go to in turn")
      ->capture_default_str()
      ->check(CLI::Range(1, 999'999));
  app.add_option("--warm-up", options.warm_up, "seconds before counting")->capture_default_str();
  app.add_option("--seconds", options.measured, "seconds counted")->capture_default_str();
  app.add_option("--runs", options.runs, "the median is reported")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  app.add_option("--pause-ms", options.pause_ms,
                 "send at this period instead of at once; for figures without load");
  app.add_option("--watch-ms", options.watch_ms,
                 "ask every node for new blocks at this period and report how long after their "
                 "seal all had them");
  app.add_option("--pid", plan.nodes, "process of a node, for its processor time; repeatable");
  app.add_option("--data", options.data, "data directory of a node, for disk use; repeatable");
  app.add_option("--drain", options.drain_seconds,
                 "seconds to wait after a run until every event has a position")
      ->capture_default_str();
  app.add_option("--ready", options.ready_seconds, "seconds that the nodes have to become ready")
      ->capture_default_str();
  app.add_option("--label", options.label, "name of the row")->capture_default_str();
  app.add_option("--row-file", options.row_file, "append the result as a Markdown row");
}

std::string describe(const std::map<int, std::uint64_t>& refusals) {
  if (refusals.empty()) return "none";
  std::string text;
  for (const auto& [status, count] : refusals) {
    if (!text.empty()) text += ", ";
    text +=
        status == 0 ? fmt::format("{} unanswered", count) : fmt::format("{} x {}", count, status);
  }
  return text;
}

std::string describe_delays(const LoadRun& run) {
  if (run.commit_delays.empty()) return "-";
  return fmt::format("{:.1f} / {:.1f} ({})", percentile(run.commit_delays, 50),
                     percentile(run.commit_delays, 99), run.commit_delays.size());
}

bool all_ready(const Options& options) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(options.ready_seconds);
  for (const auto& address : options.plan.endpoints) {
    PlainConnection connection(address);
    while (true) {
      const auto answer = connection.get("/readyz");
      if (answer && answer->status == 200) break;
      if (std::chrono::steady_clock::now() >= limit) {
        fmt::print(stderr, "error: {}:{} is not ready: {}\n", address.host, address.port,
                   answer ? fmt::format("status {}", answer->status) : answer.error().message);
        return false;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  return true;
}

// What the nodes did with the events after the last answer.
struct Aftermath {
  std::uint64_t pending = 0;  // when the run ended
  double seconds = 0;         // until none was pending
  bool is_done = false;
};

Aftermath drain(const Options& options) {
  Aftermath aftermath;
  const auto began = std::chrono::steady_clock::now();
  const auto limit = began + std::chrono::seconds(options.drain_seconds);
  for (bool first = true;; first = false) {
    const auto pending = pending_events(options.plan.endpoints);
    const auto now = std::chrono::steady_clock::now();
    if (first && pending) aftermath.pending = *pending;
    aftermath.seconds = std::chrono::duration<double>(now - began).count();
    aftermath.is_done = pending && *pending == 0;
    if (aftermath.is_done || now >= limit) return aftermath;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

void report(unsigned number, const LoadRun& run, const Aftermath& after) {
  fmt::print(
      "  run {}: {:.0f} events/s, request p50 {:.2f} ms p99 {:.2f} ms, CPU s per 100,000 events: "
      "nodes {:.2f} client {:.2f} (mining used {:.0f} % of one processor), refused: {}\n",
      number, run.rate(), percentile(run.latencies, 50), percentile(run.latencies, 99),
      run.node_cpu_per_100k(), run.own_cpu_per_100k(), 100 * run.mining_cpu / run.seconds,
      describe(run.refusals));
  fmt::print("         {} events without a position at the end, {} after {:.1f} s\n", after.pending,
             after.is_done ? "none" : "still some", after.seconds);
  if (!run.commit_delays.empty()) {
    fmt::print("         sealed to committed everywhere, p50 / p99 ms (blocks): {}; by node p50:",
               describe_delays(run));
    for (const auto& of_node : run.commit_delays_by_node)
      fmt::print(" {:.1f}", percentile(of_node, 50));
    fmt::print("\n");
  }
  std::fflush(stdout);
}

// Three nodes keep every event three times; the figure is for one of them.
std::string disk_per_event(const Options& options, std::uint64_t before, std::uint64_t events) {
  if (options.data.empty() || events == 0) return "-";
  const std::uint64_t after = disk_bytes(options.data);
  const double grown = after > before ? static_cast<double>(after - before) : 0;
  return fmt::format(
      "{:.0f}", grown / static_cast<double>(options.data.size()) / static_cast<double>(events));
}

std::string describe_sync(const Options& options) {
  const auto median = sync_milliseconds(options.data);
  return median ? fmt::format("{:.2f}", *median) : "-";
}

int run_all(Options& options) {
  for (const auto& text : options.endpoints) {
    auto address = parse_address(text);
    if (!address) {
      fmt::print(stderr, "error: {}\n", address.error().message);
      return 2;
    }
    options.plan.endpoints.push_back(std::move(*address));
  }
  options.plan.warm_up = milliseconds(options.warm_up);
  options.plan.measured = milliseconds(options.measured);
  options.plan.pause = std::chrono::milliseconds(options.pause_ms);
  options.plan.watch_period =
      std::chrono::microseconds(static_cast<std::int64_t>(options.watch_ms * 1000));
  if (!all_ready(options)) return 5;
  const std::uint64_t disk_before = disk_bytes(options.data);
  std::uint64_t events = 0;
  std::vector<LoadRun> runs;
  const std::string sync_before = describe_sync(options);
  fmt::print("{}\n", options.label);
  for (unsigned i = 1; i <= options.runs; ++i) {
    options.plan.request.session = static_cast<std::uint64_t>(
        std::chrono::system_clock::now().time_since_epoch() / std::chrono::milliseconds(1));
    runs.push_back(run_load(options.plan));
    const Aftermath after = drain(options);
    events += runs.back().events_in_all;
    report(i, runs.back(), after);
  }
  std::sort(runs.begin(), runs.end(),
            [](const LoadRun& a, const LoadRun& b) { return a.rate() < b.rate(); });
  const LoadRun& median = runs[(runs.size() - 1) / 2];
  const std::string disk = disk_per_event(options, disk_before, events);
  const std::string sync = sync_before + " / " + describe_sync(options);
  std::map<int, std::uint64_t> refusals;
  for (const auto& run : runs)
    for (const auto& [status, count] : run.refusals) refusals[status] += count;
  const std::string row = fmt::format(
      "| {} | {:.0f} | {:.2f} | {:.2f} | {:.2f} | {:.2f} | {} | {} | {} | {} |", options.label,
      median.rate(), percentile(median.latencies, 50), percentile(median.latencies, 99),
      median.node_cpu_per_100k(), median.own_cpu_per_100k(), disk, sync, describe(refusals),
      describe_delays(median));
  fmt::print(
      "  median: {:.0f} events/s; {} bytes on disk per event and node; one sync takes {} ms before "
      "/ "
      "after, with a writer for each node\n",
      median.rate(), disk, sync);
  if (!options.row_file.empty()) std::ofstream(options.row_file, std::ios::app) << row << '\n';
  return 0;
}

}  // namespace

}  // namespace eventchain::bench

int main(int argc, char** argv) {
  CLI::App app("Loads the nodes of a chain in a closed loop and reports what came of it.",
               "eventchain-bench");
  eventchain::bench::Options options;
  eventchain::bench::add_options(app, options);
  CLI11_PARSE(app, argc, argv);
  return eventchain::bench::run_all(options);
}
