#include "tools/bench/load.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <thread>

#include "tools/bench/commit_watch.h"
#include "tools/bench/cost.h"

namespace eventchain::bench {

namespace {

using Steady = std::chrono::steady_clock;

// A refused or unanswered request is not repeated at once: the client must not take the processor
// that the node needs to recover.
constexpr std::chrono::milliseconds kAfterRefusal{50};

struct Window {
  Steady::time_point from, to;
};

// What one connection saw; merged when its thread has ended.
struct Seen {
  std::uint64_t requests = 0;
  std::uint64_t requests_in_all = 0;
  std::vector<double> latencies;
  std::map<int, std::uint64_t> refusals;
};

void talk(const LoadPlan& plan, std::uint32_t number, const Window& window, Seen& seen) {
  PlainConnection connection(plan.endpoints[number % plan.endpoints.size()]);
  RequestPlan shape = plan.request;
  shape.connection = number;
  EventRequest request(shape);
  seen.latencies.reserve(1 << 17);
  auto due = Steady::now();
  while (true) {
    const std::string_view bytes = request.next();
    const auto sent = Steady::now();
    if (sent >= window.to) return;
    const auto answer = connection.exchange(bytes);
    const auto came = Steady::now();
    const int status = answer ? answer->status : 0;
    const bool is_ok = status >= 200 && status < 300;
    if (is_ok) ++seen.requests_in_all;
    if (came >= window.from && came < window.to) {
      if (is_ok) {
        ++seen.requests;
        seen.latencies.push_back(std::chrono::duration<double, std::milli>(came - sent).count());
      } else {
        ++seen.refusals[status];
      }
    }
    if (!is_ok) std::this_thread::sleep_for(kAfterRefusal);
    if (plan.pause.count() > 0) std::this_thread::sleep_until(due += plan.pause);
  }
}

double per_100k(double seconds, std::uint64_t events) {
  return events == 0 ? 0 : seconds * 100'000 / static_cast<double>(events);
}

NodeTime nodes_cpu(const std::vector<pid_t>& nodes) {
  NodeTime all;
  for (const pid_t pid : nodes) {
    const NodeTime one = cpu_seconds(pid);
    all.work += one.work;
    all.mining += one.mining;
  }
  return all;
}

}  // namespace

double LoadRun::node_cpu_per_100k() const {
  return per_100k(node_cpu, events);
}
double LoadRun::own_cpu_per_100k() const {
  return per_100k(own_cpu, events);
}

double percentile(const std::vector<double>& sorted, double percent) {
  if (sorted.empty()) return 0;
  const double rank = std::ceil(percent / 100 * static_cast<double>(sorted.size()));
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(std::max(rank, 1.0)) - 1)];
}

LoadRun run_load(const LoadPlan& plan) {
  Window window;
  window.from = Steady::now() + plan.warm_up;
  window.to = window.from + plan.measured;
  std::vector<Seen> seen(plan.connections);
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < plan.connections; ++i)
    threads.emplace_back([&, i] { talk(plan, i, window, seen[i]); });
  std::optional<CommitWatch> watch;
  if (plan.watch_period.count() > 0) watch.emplace(plan.endpoints, plan.watch_period);

  LoadRun run;
  std::this_thread::sleep_until(window.from);
  const NodeTime node_before = nodes_cpu(plan.nodes);
  const double own_before = own_cpu_seconds();
  std::this_thread::sleep_until(window.to);
  const NodeTime node_after = nodes_cpu(plan.nodes);
  run.node_cpu = node_after.work - node_before.work;
  run.mining_cpu = node_after.mining - node_before.mining;
  run.own_cpu = own_cpu_seconds() - own_before;
  for (auto& thread : threads) thread.join();
  if (watch) {
    auto delays = watch->finish();
    run.commit_delays = std::move(delays.last);
    run.commit_delays_by_node = std::move(delays.by_node);
  }

  run.seconds = std::chrono::duration<double>(plan.measured).count();
  for (auto& one : seen) {
    run.events += one.requests * plan.request.batch;
    run.events_in_all += one.requests_in_all * plan.request.batch;
    run.latencies.insert(run.latencies.end(), one.latencies.begin(), one.latencies.end());
    for (const auto& [status, count] : one.refusals) run.refusals[status] += count;
  }
  std::sort(run.latencies.begin(), run.latencies.end());
  return run;
}

std::optional<std::uint64_t> pending_events(const std::vector<Address>& endpoints) {
  constexpr std::string_view kName = "\neventchain_pending_events ";
  std::uint64_t most = 0;
  for (const auto& endpoint : endpoints) {
    PlainConnection connection(endpoint);
    const auto metrics = connection.get("/metrics");
    if (!metrics) return std::nullopt;
    const std::size_t at = metrics->body.find(kName);
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view number = metrics->body.substr(at + kName.size());
    double pending = 0;
    std::from_chars(number.data(), number.data() + number.size(), pending);
    most = std::max(most, static_cast<std::uint64_t>(pending));
  }
  return most;
}

}  // namespace eventchain::bench
