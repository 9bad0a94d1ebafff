#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "node/core.h"
#include "node/light_core.h"
#include "store/memory_light_store.h"
#include "store/memory_store.h"
#include "tests/sim/clock.h"
#include "tests/sim/disk.h"
#include "tests/sim/scheduler.h"
#include "tests/sim/trace.h"

namespace eventchain::sim {

class NodeHost;

// Who looks after the hosts: carries out effects and checks what they did.
class HostWatcher {
 public:
  virtual ~HostWatcher() = default;
  virtual void recovered(NodeHost& host) = 0;  // a new core, before start()
  virtual void committed(NodeHost& host) = 0;  // before the turn's effects
  virtual void carry_out(NodeHost& host, node::Effect& effect) = 0;
  virtual void died(NodeHost& host) = 0;
};

// One machine with a disk that runs a node, a full one or a light member: what the runtime is to
// the real one. It takes everything that waits into one turn, keeps it open while nobody waits for
// it, lets the disk have its time, and carries the effects out at the commit. It can be killed at
// any point of that and started again on what the disk kept.
class NodeHost {
 public:
  struct Options {
    std::size_t index = 0;
    node::CoreOptions core;
    Disk::Options disk;
    std::int64_t drift_permille_max = 0;
    std::int64_t skew_ms_max = 0;
  };

  NodeHost(const Options& options, Scheduler& scheduler, Trace& trace, HostWatcher& watcher,
           chain::Rng rng);

  void boot();
  // What runs here is a light member. Pre: nothing has run here so far, because a disk never
  // becomes one of the other kind.
  void become_light();
  // Another version of the program, for the next boot().
  void install(std::uint16_t level) { options_.core.feature_level = level; }
  // Kills the process now: a turn that is not committed is lost.
  void kill();
  // Kills it at its next commit, with that turn durable and only its first effects carried out.
  void kill_after_commit(std::size_t effects) { dies_after_effects_ = effects; }
  void spare() { dies_after_effects_.reset(); }
  // Nothing runs until resume(), as after SIGSTOP.
  void pause();
  void resume();
  void jump_wall_clock();
  // The monotonic clock runs at a part of its pace, 1..1000, until the next start; 1: all of it.
  // Nothing happens if no node runs.
  void slow_clock(std::int64_t part);
  [[nodiscard]] bool is_slow() const { return is_alive() && clock_.is_slow(); }
  // When its clock was slow for the last time; the beginning of time if never.
  [[nodiscard]] Time slow_until() const { return is_slow() ? scheduler_.now() : slow_until_; }
  void post(node::Input input);

  [[nodiscard]] std::size_t index() const { return options_.index; }
  [[nodiscard]] bool is_alive() const { return machine_ != nullptr; }
  [[nodiscard]] bool is_light() const { return light_store_.has_value(); }
  [[nodiscard]] bool is_paused() const { return is_paused_; }
  [[nodiscard]] bool is_writing() const { return is_writing_; }
  [[nodiscard]] std::uint64_t run() const { return run_; }  // counts starts and ends
  [[nodiscard]] chain::Now now() const { return clock_.at(scheduler_.now()); }
  [[nodiscard]] const node::Machine& machine() const { return *machine_; }
  // What a full node and a light member have alike: headers, members, the tip.
  [[nodiscard]] const chain::HeaderState& headers() const;
  [[nodiscard]] const node::NodeCore& core() const;  // pre: not light
  [[nodiscard]] store::MemoryStore& store();         // pre: not light
  [[nodiscard]] const store::MemoryLightStore& light_store() const { return *light_store_; }
  // The tip that a crash would leave.
  [[nodiscard]] chain::Height durable_height() const;
  [[nodiscard]] Disk& disk() { return disk_; }
  [[nodiscard]] const node::CoreOptions& core_options() const { return options_.core; }
  [[nodiscard]] std::uint64_t commits() const { return commits_; }

 private:
  std::unique_ptr<node::Machine> make_machine();
  store::Turns& turns();
  void take_turn();
  bool carry_out_ahead(std::vector<node::Effect> effects);  // false: the node died of it
  void write_turn();
  void commit();
  void rest();

  Options options_;
  Scheduler& scheduler_;
  Trace& trace_;
  HostWatcher& watcher_;
  chain::Rng rng_;
  Disk disk_;
  Clock clock_;
  Time slow_until_;                                     // before its present pace
  store::MemoryStore store_;                            // empty where a light member runs
  std::optional<store::MemoryLightStore> light_store_;  // of a light member
  std::unique_ptr<node::Machine> machine_;              // while it runs
  const node::NodeCore* core_ = nullptr;                // which machine_ is then,
  const node::LightCore* light_ = nullptr;              // or this
  std::deque<node::Input> inbox_;
  std::vector<node::Effect> effects_;
  std::optional<chain::Instant> commit_by_;  // of a turn that stays open
  std::size_t inputs_of_turn_ = 0;
  bool is_writing_ = false;
  bool is_paused_ = false;
  bool commit_is_due_ = false;  // came while paused
  std::optional<std::size_t> dies_after_effects_;
  std::uint64_t run_ = 0;
  std::uint64_t turn_ = 0;
  std::uint64_t commits_ = 0;
  int wakes_in_vain_ = 0;
};

}  // namespace eventchain::sim
