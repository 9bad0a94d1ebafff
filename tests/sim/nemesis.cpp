#include "tests/sim/nemesis.h"

#include <utility>

#include "tests/sim/draws.h"

namespace eventchain::sim {

namespace {
using std::chrono::milliseconds;
constexpr milliseconds kShortest{20};
constexpr milliseconds kPauseMax{6000};
constexpr milliseconds kSlowMax{400};
constexpr milliseconds kMinersOffMax{8000};
constexpr milliseconds kSurgeMax{2000};
constexpr std::uint64_t kSurge = 100;  // times the hash rate
constexpr std::int64_t kSlowestPart = 100;
}  // namespace

Nemesis::Nemesis(Cluster& cluster, Options options, chain::Rng rng)
    : cluster_(cluster), options_(std::move(options)), rng_(rng) {}

void Nemesis::start() {
  if (!options_.faults.empty()) wait();
}

void Nemesis::wait() {
  cluster_.scheduler().after(draw_exponential(rng_, options_.pause_between), [this] {
    if (is_stopped_) return;
    ++strikes_;
    strike(options_.faults[rng_.below(options_.faults.size())]);
    wait();
  });
}

void Nemesis::later(Span longest, Scheduler::Action undo) {
  cluster_.scheduler().after(draw_span(rng_, kShortest, longest), [this, undo = std::move(undo)] {
    if (!is_stopped_) undo();
  });
}

std::size_t Nemesis::other_than(std::size_t node) {
  const std::size_t other = rng_.below(cluster_.size() - 1);
  return other < node ? other : other + 1;
}

void Nemesis::strike(Fault fault) {
  const bool needs_peer = fault == Fault::kPartition || fault == Fault::kOneWayCut ||
                          fault == Fault::kSlowLink || fault == Fault::kBreakLink;
  if (needs_peer && cluster_.size() < 2) return;
  switch (fault) {
    case Fault::kKill:
      return kill(any_node());
    case Fault::kKillAfterCommit: {
      const std::size_t node = any_node();
      cluster_.host(node).kill_after_commit(rng_.below(6));
      return revive_later(node);
    }
    case Fault::kPause:
      return pause_one();
    case Fault::kPartition:
      return partition();
    case Fault::kOneWayCut:
      return cut_one_way();
    case Fault::kSlowLink:
      return slow_link();
    case Fault::kBreakLink:
      return break_link();
    case Fault::kClockJump:
      return cluster_.host(any_node()).jump_wall_clock();
    case Fault::kMinersOff:
      return stop_miners();
    case Fault::kDiskFull:
      return fill_disk();
    case Fault::kKillLeader:
      return kill(cluster_.leader().value_or(any_node()));
    case Fault::kEverybodyDown:
      return kill_everybody();
    case Fault::kSlowClock:
      return slow_clock();
    case Fault::kSurge:
      return surge();
    case Fault::kDrain:
      return drain();
  }
}

void Nemesis::revive_later(std::size_t node) {
  later(options_.down_max, [this, node] { cluster_.revive(node); });
}

void Nemesis::kill(std::size_t node) {
  cluster_.kill(node);
  revive_later(node);
}

void Nemesis::kill_everybody() {
  for (std::size_t node = 0; node < cluster_.size(); ++node) kill(node);
}

void Nemesis::pause_one() {
  const std::size_t node = any_node();
  cluster_.trace().print("n{} is paused", node);
  cluster_.host(node).pause();
  later(kPauseMax, [this, node] { cluster_.host(node).resume(); });
}

void Nemesis::partition() {
  std::vector<std::vector<std::size_t>> groups(2);
  for (std::size_t node = 0; node < cluster_.size(); ++node) groups[rng_.below(2)].push_back(node);
  cluster_.split(groups);
  later(options_.cut_max, [this] { cluster_.network().mend_all(); });
}

void Nemesis::cut_one_way() {
  const std::size_t from = any_node();
  const std::size_t to = other_than(from);
  cluster_.network().cut(from, to);
  later(options_.cut_max, [this, from, to] { cluster_.network().mend(from, to); });
}

void Nemesis::slow_link() {
  const std::size_t a = any_node();
  const std::size_t b = other_than(a);
  cluster_.network().slow_down(a, b, draw_span(rng_, kShortest, kSlowMax));
  later(options_.cut_max, [this, a, b] { cluster_.network().slow_down(a, b, Span(0)); });
}

void Nemesis::break_link() {
  const std::size_t a = any_node();
  cluster_.network().break_link(a, other_than(a));
}

void Nemesis::stop_miners() {
  for (std::size_t node = 0; node < cluster_.size(); ++node)
    if (rng_.chance(2, 3)) cluster_.miner(node).set_rate(0);
  later(kMinersOffMax, [this] { set_hash_rates(hash_rate(cluster_.options())); });
}

void Nemesis::set_hash_rates(std::uint64_t rate) {
  for (std::size_t node = 0; node < cluster_.size(); ++node) cluster_.miner(node).set_rate(rate);
}

void Nemesis::surge() {
  const std::uint64_t usual = hash_rate(cluster_.options());
  cluster_.trace().print("the hash rate is {} times what it was", kSurge);
  set_hash_rates(kSurge * usual);
  later(kSurgeMax, [this, usual] { set_hash_rates(usual); });
}

void Nemesis::fill_disk() {
  const std::size_t node = any_node();
  cluster_.fill_disk(node, true);
  later(options_.cut_max, [this, node] { cluster_.fill_disk(node, false); });
}

void Nemesis::drain() {
  const std::size_t node = any_node();
  cluster_.drain(node, true);
  later(options_.cut_max, [this, node] { cluster_.drain(node, false); });
}

void Nemesis::slow_clock() {
  const std::size_t node = any_node();
  cluster_.host(node).slow_clock(rng_.between(2, kSlowestPart));
  later(options_.cut_max, [this, node] { cluster_.host(node).slow_clock(1); });
}

}  // namespace eventchain::sim
