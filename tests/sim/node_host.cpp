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

void NodeHost::slow_clock(std::int64_t part) {
  if (!is_alive() || (part == 1 && !is_slow())) return;
  trace_.print("n{}'s clock runs at a part of {}", index(), part);
  slow_until_ = scheduler_.now();
  clock_.run_at_part(scheduler_.now(), part);
  // When it is to wake up was reckoned by the other pace.
  if (is_writing_ || is_paused_) return;
  ++turn_;
  rest();
}

void NodeHost::become_light() {
  EC_ASSERT(run_ == 0, "a light member begins with a disk of its own kind");
  light_store_.emplace(options_.core.genesis);
}

const chain::HeaderState& NodeHost::headers() const {
  if (light_ != nullptr) return light_->chain_state();
  return core_->chain_state();
}

const node::NodeCore& NodeHost::core() const {
  EC_ASSERT(core_ != nullptr, "a full node runs here");
  return *core_;
}

store::MemoryStore& NodeHost::store() {
  EC_ASSERT(!is_light(), "a light member has a store of its own kind");
  return store_;
}

chain::Height NodeHost::durable_height() const {
  return light_store_ ? light_store_->durable_height() : store_.durable_height();
}

store::Turns& NodeHost::turns() {
  if (light_store_) return light_store_->turns();
  return store_.turns();
}

std::unique_ptr<node::Machine> NodeHost::make_machine() {
  node::CoreOptions options = options_.core;
  options.seed = rng_.next();
  if (!light_store_) {
    auto core = std::make_unique<node::NodeCore>(options, store_);
    core_ = core.get();
    return core;
  }
  const node::LightOptions own{options.self, options.mines, options.signing, options.feature_level};
  auto light = std::make_unique<node::LightCore>(own, *light_store_);
  light_ = light.get();
  return light;
}

void NodeHost::boot() {
  EC_ASSERT(!is_alive(), "a host runs one node");
  ++run_;
  const chain::Instant shows{Span(rng_.between(0, 1'000'000'000'000'000))};
  clock_.restart(scheduler_.now(), shows,
                 rng_.between(-options_.drift_permille_max, options_.drift_permille_max));
  trace_.fold(1, index(), run_);
  trace_.print("n{} starts", index());
  turns().begin();
  machine_ = make_machine();
  watcher_.recovered(*this);
  machine_->start(now());
  write_turn();
}

void NodeHost::kill() {
  if (!is_alive()) return;
  const bool is_in_turn = is_writing_ || commit_by_;
  trace_.fold(2, index(), is_in_turn);
  trace_.print("n{} is killed{}", index(), is_in_turn ? " in a turn" : "");
  slow_until_ = slow_until();
  ++run_;
  core_ = nullptr;
  light_ = nullptr;
  machine_.reset();
  if (light_store_) {
    light_store_->crash();
  } else {
    store_.crash();
  }
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
    turns().begin();
    inputs_of_turn_ = 0;
  }
  const chain::Now at = now();
  const std::size_t inputs = std::min(inbox_.size(), kInputsPerTurnMax);
  for (std::size_t i = 0; i < inputs; ++i) {
    machine_->handle(at, std::move(inbox_.front()));
    inbox_.pop_front();
  }
  if (machine_->next_wakeup() <= at.steady) machine_->handle(at, node::Woke{});
  const bool in_vain = inputs == 0 && machine_->next_wakeup() <= at.steady;
  wakes_in_vain_ = in_vain ? wakes_in_vain_ + 1 : 0;
  if (wakes_in_vain_ > kWakesInVainMax)
    throw Violation("I14", fmt::format("n{} keeps waking up for nothing", index()));
  trace_.fold(3, index(), inputs);
  inputs_of_turn_ += inputs;
  auto step = machine_->step(at);
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
  auto effects = machine_->take_effects();
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
  turns().commit();
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
  const chain::Instant due = machine_->next_wakeup();
  const Time wake = is_busy ? scheduler_.now()
                            : std::max(scheduler_.now(),
                                       clock_.when(commit_by_ ? std::min(due, *commit_by_) : due));
  scheduler_.at(wake, [this, run = run_, turn = turn_] {
    if (run == run_ && turn == turn_ && !is_writing_ && !is_paused_) take_turn();
  });
}

}  // namespace eventchain::sim
