#pragma once

#include <cstdint>
#include <vector>

#include "tests/sim/cluster.h"

namespace eventchain::sim {

// Does harm to a cluster at random, until it is told to stop. Which kinds of harm a run knows is
// drawn once, so that rare combinations get runs of their own.
class Nemesis {
 public:
  enum class Fault : std::uint8_t {
    kKill,
    kKillAfterCommit,
    kPause,
    kPartition,
    kOneWayCut,
    kSlowLink,
    kBreakLink,
    kClockJump,
    kMinersOff,
    kDiskFull,
    kKillLeader,
    kEverybodyDown,
    kSlowClock,
    kSurge,
    kDrain,
  };
  static constexpr std::size_t kFaults = 15;
  struct Options {
    std::vector<Fault> faults;
    Span pause_between = std::chrono::seconds(2);  // mean
    Span down_max = std::chrono::seconds(4);
    Span cut_max = std::chrono::seconds(12);
  };

  Nemesis(Cluster& cluster, Options options, chain::Rng rng);

  void start();
  void stop() { is_stopped_ = true; }
  [[nodiscard]] std::uint64_t strikes() const { return strikes_; }

 private:
  void wait();
  void strike(Fault fault);
  void revive_later(std::size_t node);
  void kill(std::size_t node);
  void kill_everybody();
  void pause_one();
  void partition();
  void cut_one_way();
  void slow_link();
  void break_link();
  void stop_miners();
  void fill_disk();
  void slow_clock();
  void surge();
  void set_hash_rates(std::uint64_t rate);
  void drain();
  std::size_t any_node() { return rng_.below(cluster_.size()); }
  std::size_t other_than(std::size_t node);
  // Runs `undo` after at most `longest`, unless the chaos is over.
  void later(Span longest, Scheduler::Action undo);

  Cluster& cluster_;
  const Options options_;
  chain::Rng rng_;
  bool is_stopped_ = false;
  std::uint64_t strikes_ = 0;
};

}  // namespace eventchain::sim
