#pragma once

#include <optional>
#include <vector>

#include "tests/sim/onlooker.h"
#include "tests/sim/scheduler.h"

namespace eventchain::sim {

// Counts what crosses the links of a cluster, what work is found, and when each node came to each
// height. Octets are those of the frames; TLS and TCP add theirs.
class ScaleMeter : public Onlooker {
 public:
  struct Traffic {
    std::uint64_t bodies_sent = 0;
    std::uint64_t bodies_received = 0;
    std::uint64_t octets_sent = 0;
    std::uint64_t octets_with_bodies = 0;  // of those: of the messages that carry bodies
  };

  ScaleMeter(std::size_t nodes, const Scheduler& scheduler)
      : scheduler_(scheduler), traffic_(nodes) {}

  void sent(std::size_t from, const net::Message& message, std::size_t links) override;
  void received(std::size_t at, const net::Message& message) override;
  void reached(std::size_t node, chain::Height height) override;
  void found_share(std::size_t node, const mining::WorkOrder& order) override;
  void mines(std::size_t, const mining::WorkOrder&) override {}
  void stops_mining(std::size_t) override {}

  // Traffic counts from now on.
  void forget_traffic() { traffic_.assign(traffic_.size(), {}); }
  [[nodiscard]] const std::vector<Traffic>& traffic() const { return traffic_; }
  // In hashes, as the targets of the shares promise.
  [[nodiscard]] double work() const { return work_; }
  [[nodiscard]] std::uint64_t shares() const { return shares_; }
  // When the node had applied the block; nullopt: it was not up, or caught up in one go.
  [[nodiscard]] std::optional<Time> reached_at(std::size_t node, chain::Height height) const;
  [[nodiscard]] std::optional<Time> first_reached(chain::Height height) const;

 private:
  static constexpr Time kNever{Span::max()};

  const Scheduler& scheduler_;
  std::vector<Traffic> traffic_;            // by node
  std::vector<std::vector<Time>> reached_;  // by height and node
  double work_ = 0;
  std::uint64_t shares_ = 0;
};

}  // namespace eventchain::sim
