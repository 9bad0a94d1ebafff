#include "tests/sim/node_host.h"

#include <utility>

namespace eventchain::sim {

namespace {

// As the runtime has it.
constexpr std::size_t kInputsPerTurnMax = 256;
// A core whose next wake-up stays in the past would keep a processor busy for nothing.
constexpr int kWakesInVainMax = 200;

}  // namespace

NodeHost::NodeHost(const Options& options, Scheduler& scheduler, Trace& trace, HostWatcher& watcher,
                   chain::Rng rng)
    : options_(options),
      scheduler_(scheduler),
      trace_(trace),
      watcher_(watcher),
      rng_(rng),
      disk_(options.disk, rng.fork("disk")),
      store_(options.core.genesis) {
  jump_wall_clock();
}

void NodeHost::jump_wall_clock() {
  clock_.set_skew(rng_.between(-options_.skew_ms_max, options_.skew_ms_max));
}

void NodeHost::boot() {
  EC_ASSERT(!is_alive(), "a host runs one node");
  ++run_;
  const chain::Instant shows{Span(rng_.between(0, 1'000'000'000'000'000))};
  clock_.restart(scheduler_.now(), shows,
                 rng_.between(-options_.drift_permille_max, options_.drift_permille_max));
  trace_.fold(1, index(), run_);
  trace_.print("n{} starts", index());
  node::CoreOptions core = options_.core;
  core.seed = rng_.next();
  store_.turns().begin();
  core_ = std::make_unique<node::NodeCore>(core, store_);
  watcher_.recovered(*this);
  core_->start(now());
  write_turn();
}

void NodeHost::kill() {
  if (!is_alive()) return;
  const bool is_in_turn = is_writing_ || commit_by_;
  trace_.fold(2, index(), is_in_turn);
  trace_.print("n{} is killed{}", index(), is_in_turn ? " in a turn" : "");
  ++run_;
  core_.reset();
  store_.crash();
  inbox_.clear();
  effects_.clear();
  commit_by_.reset();
  is_writing_ = is_paused_ = commit_is_due_ = false;
  dies_after_effects_.reset();
  watcher_.died(*this);
}

void NodeHost::pause() {
  if (is_alive()) is_paused_ = true;
}

void NodeHost::resume() {
  if (!is_paused_) return;
  is_paused_ = false;
  if (std::exchange(commit_is_due_, false)) {
    commit();
  } else if (!is_writing_) {
    rest();
  }
}

void NodeHost::post(node::Input input) {
  if (!is_alive()) return;
  inbox_.push_back(std::move(input));
  if (!is_writing_ && !is_paused_) take_turn();
}

void NodeHost::take_turn() {
  if (!commit_by_) {
    store_.turns().begin();
    inputs_of_turn_ = 0;
  }
  const chain::Now at = now();
  const std::size_t inputs = std::min(inbox_.size(), kInputsPerTurnMax);
  for (std::size_t i = 0; i < inputs; ++i) {
    core_->handle(at, std::move(inbox_.front()));
    inbox_.pop_front();
  }
  if (core_->next_wakeup() <= at.steady) core_->handle(at, node::Woke{});
  const bool in_vain = inputs == 0 && core_->next_wakeup() <= at.steady;
  wakes_in_vain_ = in_vain ? wakes_in_vain_ + 1 : 0;
  if (wakes_in_vain_ > kWakesInVainMax)
    throw Violation("I14", fmt::format("n{} keeps waking up for nothing", index()));
  trace_.fold(3, index(), inputs);
  inputs_of_turn_ += inputs;
  auto step = core_->step(at);
  commit_by_ = step.commit_by;
  if (!carry_out_ahead(std::move(step.ahead))) return;
  if (step.commit_by > at.steady && inputs_of_turn_ < kInputsPerTurnMax) {
    ++turn_;
    rest();
    return;
  }
  write_turn();
}

void NodeHost::write_turn() {
  auto effects = core_->take_effects();
  effects_ = std::move(effects.when_durable);
  commit_by_.reset();
  is_writing_ = true;
  ++turn_;
  scheduler_.after(disk_.next_commit(), [this, run = run_] {
    if (run != run_) return;
    if (is_paused_) {
      commit_is_due_ = true;
    } else {
      commit();
    }
  });
  carry_out_ahead(std::move(effects.ahead));
}

bool NodeHost::carry_out_ahead(std::vector<node::Effect> effects) {
  for (node::Effect& effect : effects) {
    trace_.fold(5, index(), effect.index());
    const auto run = run_;
    watcher_.carry_out(*this, effect);
    if (run != run_) return false;
  }
  return true;
}

void NodeHost::commit() {
  store_.turns().commit();
  ++commits_;
  watcher_.committed(*this);
  auto effects = std::exchange(effects_, {});
  const auto run = run_;
  for (std::size_t i = 0; i < effects.size(); ++i) {
    if (dies_after_effects_ && i >= *dies_after_effects_) break;
    trace_.fold(4, index(), effects[i].index());
    watcher_.carry_out(*this, effects[i]);
    if (run != run_) return;
  }
  is_writing_ = false;
  if (dies_after_effects_) {
    kill();
    return;
  }
  rest();
}

// Until something comes or the core wants to be woken.
void NodeHost::rest() {
  const bool is_busy = !inbox_.empty();
  const chain::Instant due = core_->next_wakeup();
  const Time wake = is_busy ? scheduler_.now()
                            : std::max(scheduler_.now(),
                                       clock_.when(commit_by_ ? std::min(due, *commit_by_) : due));
  scheduler_.at(wake, [this, run = run_, turn = turn_] {
    if (run == run_ && turn == turn_ && !is_writing_ && !is_paused_) take_turn();
  });
}

}  // namespace eventchain::sim
