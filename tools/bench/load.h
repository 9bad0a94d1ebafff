#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/bench/plain_http.h"
#include "tools/bench/request.h"

namespace eventchain::bench {

struct LoadPlan {
  std::vector<Address> endpoints;  // connection i talks to endpoint i modulo their number
  unsigned connections = 8;
  RequestPlan request;
  std::chrono::milliseconds pause{0};  // between the requests of one connection; 0: closed loop
  std::chrono::milliseconds warm_up{2000};
  std::chrono::milliseconds measured{10'000};
  std::vector<pid_t> nodes;                   // whose processor time is counted
  std::chrono::microseconds watch_period{0};  // 0: commits are not watched
};

// One run, counted from the end of the warm-up: a request counts when its answer comes.
struct LoadRun {
  double seconds = 0;
  std::uint64_t events = 0;               // of requests answered 2xx
  std::vector<double> latencies;          // ms per request answered 2xx; sorted
  std::map<int, std::uint64_t> refusals;  // requests by status; 0: no answer
  std::uint64_t events_in_all = 0;        // with the warm-up
  double node_cpu = 0;                    // seconds
  double mining_cpu = 0;                  // seconds, in what the nodes left idle
  double own_cpu = 0;
  std::vector<double> commit_delays;  // ms from sealed to committed on all nodes; sorted
  std::vector<std::vector<double>> commit_delays_by_node;

  [[nodiscard]] double rate() const { return static_cast<double>(events) / seconds; }
  [[nodiscard]] double node_cpu_per_100k() const;
  [[nodiscard]] double own_cpu_per_100k() const;
};

// Value below which `percent` of a sorted list lies; 0 of an empty one.
double percentile(const std::vector<double>& sorted, double percent);

LoadRun run_load(const LoadPlan& plan);

// Events without a position, of the node that has most; nullopt when one does not answer.
std::optional<std::uint64_t> pending_events(const std::vector<Address>& endpoints);

}  // namespace eventchain::bench
