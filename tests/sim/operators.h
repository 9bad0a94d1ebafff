#pragma once

#include <optional>
#include <vector>

#include "tests/sim/cluster.h"
#include "tests/sim/orders.h"

namespace eventchain::sim {

// Change who belongs to a cluster at random, until they are told to stop: invite and admit hosts,
// promote, demote and remove members, hand leadership over, and in some seeds tell the leader how
// many voters to see to by itself. One order is open at a time. They keep to what operators keep
// to: never fewer voters than three where there were three (or than one), and nobody loses a vote
// without whom those who live are no majority.
class Operators {
 public:
  struct Options {
    Span pause_between = std::chrono::seconds(1);  // mean
    Span timeout_max = std::chrono::seconds(8);
    std::size_t lights = 0;  // the last hosts, which are invited as light members
    bool sets_policy = false;
  };

  Operators(Cluster& cluster, const Options& options, chain::Rng rng);

  void start() { wait(); }
  void stop() { is_stopped_ = true; }
  // Nothing that was ordered may still come into force by surprise, and the leader orders nothing
  // by itself.
  [[nodiscard]] bool knows_all() const;
  [[nodiscard]] std::uint64_t orders() const { return orders_; }
  // Of them, given at nodes without a vote.
  [[nodiscard]] std::uint64_t relayed() const { return relayed_; }

 private:
  // What became of an order could not be told: it may come into force until then and there.
  struct Doubt {
    Time since;
    Span lasts;  // by the clock of whoever leads
    chain::Height below;
    bool costs_a_vote = false;
  };
  struct Wish {
    OrderKind kind;
    std::size_t host;
  };

  void wait();
  void act();
  [[nodiscard]] std::vector<Wish> wishes() const;
  net::Order write(const Wish& wish);
  [[nodiscard]] bool is_light(std::size_t host) const {
    return host >= cluster_.honest() - options_.lights;
  }
  [[nodiscard]] bool may_lose_vote(std::size_t host) const;
  [[nodiscard]] bool is_open(const Doubt& doubt) const;
  void heard(const Wish& wish, Time deadline, const std::optional<node::OrderAnswer>& answer);

  Cluster& cluster_;
  const Options options_;
  chain::Rng rng_;
  const std::size_t voters_min_;
  bool is_stopped_ = false;
  bool is_open_ = false;
  std::vector<Doubt> doubts_;
  std::uint64_t orders_ = 0;
  std::uint64_t relayed_ = 0;
};

}  // namespace eventchain::sim
