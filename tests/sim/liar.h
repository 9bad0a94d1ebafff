#pragma once

#include <vector>

#include "tests/sim/cluster.h"
#include "tests/sim/lies.h"
#include "tests/sim/mouth.h"

namespace eventchain::sim {

// The last host of a cluster with ClusterOptions::has_liar, once it is a member: an observer whose
// node is honest and whose mouth is not. The node keeps up with the chain, and so knows what to lie
// about; of what it says some is withheld, delayed or changed, and lies of Lies::Kind come on top,
// to the end of the run. It gives no orders, because those who run it may do that.
class Liar final : private Mouth {
 public:
  struct Options {
    std::vector<Lies::Kind> kinds;
    Span pause_between = std::chrono::milliseconds(50);  // mean
    std::uint32_t withholds_percent = 0;                 // of what its node says
    std::uint32_t twists_percent = 0;
  };

  // `cluster` outlives it; its host speaks through it from now on.
  Liar(Cluster& cluster, Options options, chain::Rng rng);
  ~Liar() override;
  Liar(const Liar&) = delete;
  Liar& operator=(const Liar&) = delete;

  // Its operators invite and admit it, through any node.
  void start();
  // It brings no more bodies, new ones or old ones, so that the pools of others can become empty.
  void stop_submitting() { submits_ = false; }
  [[nodiscard]] std::uint64_t lies() const { return lies_; }

 private:
  void hears(std::size_t peer, const net::Message& message) override;
  void says(std::size_t peer, const net::Message& message) override;
  void seek_admission();
  void wait();
  void lie();
  [[nodiscard]] bool knows(Lies::Kind kind) const;
  void utter(std::size_t peer, const net::Message& message);

  Cluster& cluster_;
  const Options options_;
  const std::size_t host_;
  chain::Rng rng_;
  Lies lies_made_;
  bool submits_ = true;
  std::uint64_t lies_ = 0;
};

}  // namespace eventchain::sim
