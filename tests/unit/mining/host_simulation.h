#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <functional>
#include <vector>

#include "chain/rng.h"
#include "mining/budget.h"
#include "mining/governor.h"

// A host in virtual time: processors with a load of others, a miner that obeys the governor, and
// counters as coarse as the kernel's.
namespace eventchain::mining::simulation {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

// What others want of one processor, 0..1, at a time since the beginning.
using Load = std::function<double(unsigned processor, nanoseconds at)>;

inline Load steady(double share) {
  return [share](unsigned, nanoseconds) { return share; };
}

inline double seconds(nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

// `high` for the given part of every period, else `low`.
inline Load square(double low, double high, nanoseconds period, double part) {
  return [=](unsigned, nanoseconds at) {
    return seconds(at % period) < part * seconds(period) ? high : low;
  };
}

inline Load sine(double middle, double swing, nanoseconds period) {
  return [=](unsigned, nanoseconds at) {
    constexpr double kTwoPi = 6.283185307179586;
    return std::clamp(middle + swing * std::sin(kTwoPi * seconds(at) / seconds(period)), 0.0, 1.0);
  };
}

// Requests: a processor is wholly busy or idle, in stretches of random length around `stretch`,
// busy for `share` of the time.
inline Load bursts(chain::Rng rng, unsigned processors, double share, nanoseconds stretch) {
  struct Stretch {
    nanoseconds end{0};
    bool is_busy = false;
  };
  return [rng, stretch, share, state = std::vector<Stretch>(processors)](unsigned processor,
                                                                         nanoseconds at) mutable {
    Stretch& now = state[processor];
    while (now.end <= at) {
      now.is_busy = !now.is_busy;
      const double mean =
          2 * static_cast<double>(stretch.count()) * (now.is_busy ? share : 1 - share);
      now.end += nanoseconds(
          1 + static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(2 * mean) + 1)));
    }
    return now.is_busy ? 1.0 : 0.0;
  };
}

struct Counted {
  double mean_share = 0;        // used by the miner, of all processors
  double most_in_a_second = 0;  // the same, of the worst second
  double idle_share = 0;        // left by the others
  unsigned switches = 0;        // between lending and not
  unsigned most_switches_a_minute = 0;
};

class Host {
 public:
  static constexpr nanoseconds kTick = 10ms;  // of the kernel's accounting
  static constexpr nanoseconds kStep = 250us;
  static constexpr nanoseconds kQuantum = 100us;  // of a thread's work
  static constexpr nanoseconds kWakeUp = 5us;     // by which a nap is longer than it was to be

  Host(const GovernorSettings& settings, const HostShape& shape, Load load, std::uint64_t seed = 1)
      : shape_(shape),
        load_(std::move(load)),
        rng_(seed),
        governor_(settings, shape),
        idle_(shape.processors),
        stolen_(shape.processors),
        lanes_(shape.processors) {
    // Processors do not tick together.
    for (unsigned i = 0; i < shape.processors; ++i)
      idle_[i] = stolen_[i] = kTick * i / shape.processors;
  }

  Governor& governor() { return governor_; }
  [[nodiscard]] nanoseconds now() const { return now_; }
  void set_load(Load load) { load_ = std::move(load); }

  // Parts of what happens around it.
  double steal = 0;  // of every processor
  std::uint64_t throttlings = 0;
  bool has_kill_switch = false;
  unsigned minute_of_week = 0;

  void run(nanoseconds time) {
    for (const nanoseconds end = now_ + time; now_ < end;) step();
  }
  // Until `holds` or the time is over; how long that took.
  nanoseconds run_until(const std::function<bool()>& holds, nanoseconds at_most) {
    const nanoseconds begin = now_;
    while (!holds() && now_ - begin < at_most) step();
    return now_ - begin;
  }
  [[nodiscard]] bool is_mining() const {
    return std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.ran; });
  }

  // Since the last call.
  Counted take_counted() {
    const double whole = seconds(now_ - counted_from_) * shape_.processors;
    counted_.mean_share = seconds(counted_own_) / whole;
    counted_.idle_share = seconds(counted_idle_) / whole;
    counted_.most_in_a_second = seconds(most_own_in_a_second_) / shape_.processors;
    const Counted counted = counted_;
    counted_ = {};
    counted_own_ = counted_idle_ = most_own_in_a_second_ = nanoseconds(0);
    counted_from_ = now_;
    switches_at_.clear();
    return counted;
  }

 private:
  struct Lane {
    nanoseconds done{0};  // of the quantum in hand
    chain::Instant rests_until;
    bool ran = false;  // in the last step
  };

  void step() {
    if (now_ >= next_sample_) sample();
    now_ += kStep;
    nanoseconds own{0};
    for (unsigned i = 0; i < shape_.processors; ++i) own += run_processor(i);
    own_ += own;
    counted_own_ += own;
    last_second_.push_back(own);
    own_in_last_second_ += own;
    if (last_second_.size() > static_cast<std::size_t>(1s / kStep)) {
      own_in_last_second_ -= last_second_.front();
      last_second_.pop_front();
    }
    most_own_in_a_second_ = std::max(most_own_in_a_second_, own_in_last_second_);
  }

  // What the miner used of it in this step.
  nanoseconds run_processor(unsigned i) {
    const nanoseconds there = part_of_step(1 - steal);
    const nanoseconds wanted = std::min(part_of_step(load_(i, now_)), there);
    const nanoseconds own =
        work(i, shape_.is_isolated ? there - wanted : std::max(there - wanted, there / 2));
    const nanoseconds others = std::min(wanted, there - own);
    idle_[i] += there - own - others;
    stolen_[i] += kStep - there;
    counted_idle_ += there - wanted;
    lanes_[i].ran = own > 0ns;
    return own;
  }

  static nanoseconds part_of_step(double share) {
    return nanoseconds(static_cast<std::int64_t>(share * static_cast<double>(kStep.count())));
  }

  // Quanta as long as there is time and the miner may; a quantum that was begun is finished.
  nanoseconds work(unsigned i, nanoseconds time) {
    Lane& lane = lanes_[i];
    nanoseconds used{0};
    for (nanoseconds slept{0}; used + slept < time;) {
      const bool is_allowed = i < governor_.decision().allowance.threads;
      const bool may_begin = is_allowed && lane.rests_until <= chain::Instant{now_};
      if (lane.done == 0ns && !may_begin) break;
      const nanoseconds next = std::min(time - used - slept, kQuantum - lane.done);
      used += next;
      lane.done += next;
      if (lane.done < kQuantum) break;
      lane.done = 0ns;
      const auto until = budget_.charge(chain::Instant{now_}, kQuantum);
      if (until) lane.rests_until = *until;
      // While others use the processor a nap costs nothing.
      const Naps naps = governor_.decision().allowance.naps;
      if (naps.length > 0ns && kQuantum >= naps.after)
        slept += (naps.length + kWakeUp) * time.count() / kStep.count();
    }
    return used;
  }

  void sample() {
    HostSample sample;
    sample.at = chain::Instant{now_};
    for (unsigned i = 0; i < shape_.processors; ++i) {
      sample.idle += idle_[i] / kTick * kTick;
      sample.stolen += stolen_[i] / kTick * kTick;
    }
    sample.own = own_;
    sample.throttlings = throttlings;
    sample.has_kill_switch = has_kill_switch;
    sample.minute_of_week = minute_of_week;
    const bool lent = governor_.decision().lends();
    const Decision& decision = governor_.step(sample);
    if (decision.lends()) {
      const nanoseconds each = decision.allowance.per_period;
      budget_.allow(each > 0ns ? std::optional(each) : std::nullopt);
    }
    if (lent != decision.lends()) count_switch();
    next_sample_ =
        now_ + governor_.next_sample_after() + std::chrono::microseconds(rng_.below(3'000));
  }

  void count_switch() {
    ++counted_.switches;
    switches_at_.push_back(now_);
    while (switches_at_.front() <= now_ - 60s) switches_at_.pop_front();
    counted_.most_switches_a_minute =
        std::max(counted_.most_switches_a_minute, static_cast<unsigned>(switches_at_.size()));
  }

  const HostShape shape_;
  Load load_;
  chain::Rng rng_;
  Governor governor_;
  ProcessorBudget budget_;
  std::vector<nanoseconds> idle_;
  std::vector<nanoseconds> stolen_;
  std::vector<Lane> lanes_;
  nanoseconds now_{0};
  nanoseconds next_sample_{0};
  nanoseconds own_{0};

  Counted counted_;
  nanoseconds counted_from_{0};
  nanoseconds counted_own_{0};
  nanoseconds counted_idle_{0};
  std::deque<nanoseconds> last_second_;
  nanoseconds own_in_last_second_{0};
  nanoseconds most_own_in_a_second_{0};
  std::deque<nanoseconds> switches_at_;
};

}  // namespace eventchain::mining::simulation
