#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "tests/sim/cluster.h"

namespace eventchain::sim {

// Submits events one by one, at a voter and at a node without a vote in turn, and remembers when
// they were called durable.
class ScaleFeed {
 public:
  struct Fed {
    chain::EventKey key;
    bool is_at_voter = false;
    Time submitted;
    std::optional<Time> durable;
  };

  ScaleFeed(Cluster& cluster, std::size_t body_bytes, chain::Rng rng)
      : cluster_(cluster), body_bytes_(body_bytes), rng_(rng) {}

  // Until stop(), or so many.
  void start(Span every, std::optional<std::size_t> count = std::nullopt);
  void stop() { ++life_; }
  [[nodiscard]] bool is_done() const { return left_ == 0; }

  [[nodiscard]] const std::vector<Fed>& events() const { return events_; }
  [[nodiscard]] std::uint64_t durable() const { return durable_; }
  // Octets of one body.
  [[nodiscard]] std::size_t body_octets() const { return body_octets_; }

 private:
  void wait();
  void submit();
  [[nodiscard]] std::optional<std::size_t> pick(bool is_voter);
  chain::Bytes make_body();

  Cluster& cluster_;
  const std::size_t body_bytes_;
  chain::Rng rng_;
  Span every_{0};
  std::optional<std::size_t> left_;
  std::uint64_t life_ = 0;
  std::vector<Fed> events_;
  std::uint64_t durable_ = 0;
  std::size_t body_octets_ = 0;
};

// Invites all hosts beyond the voters of genesis as observers, and admits them; several orders are
// open at a time, at all voters.
class Admission {
 public:
  explicit Admission(Cluster& cluster);

  void start();
  [[nodiscard]] bool is_done() const { return admitted_ == wanted_; }

 private:
  struct Step {
    std::size_t host;
    bool is_admission;
  };
  struct Desk {
    std::deque<Step> waiting;
    std::size_t open = 0;
  };

  void work(std::size_t voter);
  void ask(std::size_t voter, const Step& step);

  Cluster& cluster_;
  std::vector<Desk> desks_;  // by voter
  std::size_t wanted_ = 0;
  std::size_t admitted_ = 0;
};

}  // namespace eventchain::sim
