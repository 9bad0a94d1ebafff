#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "tests/sim/cluster.h"

namespace eventchain::sim {

// Clients of the cluster: each posts events to nodes at random, waits for some stage, and tries
// again elsewhere when a node dies or is late. Among the new events are repeated ones, other
// content under a known key, and expectations that are right, past or ahead. Now and then a client
// reads instead.
class Workload {
 public:
  struct Options {
    std::size_t clients = 4;
    std::size_t streams = 6;
    Span think = std::chrono::milliseconds(300);  // mean
    std::size_t batch_max = 8;
    std::size_t data_bytes_max = 64;
  };

  Workload(Cluster& cluster, const Options& options, chain::Rng rng);

  void start();
  void stop() { is_stopped_ = true; }
  [[nodiscard]] std::uint64_t requests() const { return requests_; }
  [[nodiscard]] std::uint64_t retries() const { return retries_; }

 private:
  // What a client wants to be in the log, whatever it takes.
  struct Wish {
    std::vector<chain::Bytes> bodies;
    node::WaitFor wait;
    Span timeout;
    int tries = 0;
  };
  struct Source {
    std::string id;
    std::string stream;
    std::optional<std::int32_t> expected;
    std::uint64_t data = 0;
  };

  void think(std::size_t client);
  void act(std::size_t client);
  chain::Bytes draw_body();
  chain::Bytes write_body(const Source& source) const;
  void post(std::size_t client, Wish wish);
  void read(std::size_t client);
  void heard(std::size_t client, Wish wish, const std::optional<node::Answer>& answer);

  Cluster& cluster_;
  const Options options_;
  chain::Rng rng_;
  bool is_stopped_ = false;
  std::uint64_t next_id_ = 1;
  std::vector<Source> known_;                               // sent before; some are sent again
  std::unordered_map<std::string, std::int64_t> versions_;  // as clients saw them last
  std::unordered_map<chain::EventKey, std::string, chain::FixedBytesHash> stream_of_;
  std::uint64_t requests_ = 0;
  std::uint64_t retries_ = 0;
};

}  // namespace eventchain::sim
