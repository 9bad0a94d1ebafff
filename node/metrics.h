#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "mining/lending.h"
#include "net/asio/mesh.h"
#include "node/node_report.h"
#include "node/runtime.h"
#include "node/status.h"
#include "node/witnessing/report.h"

namespace eventchain::node {

// Everything that is counted elsewhere, at the moment of a scrape.
struct MetricsSample {
  NodeStatus status;
  net::MeshCounters mesh;
  Runtime::Counters runtime;
  std::optional<mining::LendingReport> lending;  // nullopt: this node lends nothing
  std::uint64_t http_connections = 0;
  std::optional<WitnessesReport> witnesses;  // nullopt: the log has none
  std::optional<CosignerReport> cosigner;    // nullopt: this node is no witness
  HostState host;
  // How long ago the node last knew that it had all that was committed; nullopt: never.
  std::optional<std::chrono::milliseconds> age;
};

// Prometheus text (format 0.0.4), prefix eventchain_, base units, no label with more than a handful
// of values. One gauge per stage of the pipeline, so that lag is a subtraction. Thread-safe.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // `label`: the route's name, a constant.
  void observe_http(const char* label, int status, std::chrono::nanoseconds duration);
  [[nodiscard]] std::string render(const MetricsSample& sample) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace eventchain::node
