#include "mining/governor.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "chain/result.h"

namespace eventchain::mining {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// A second overlaps 21 periods of 50 ms: with a 21st of the cap in each the cap holds in any second
// and not only on the average.
constexpr std::int64_t kCapPeriods = std::chrono::seconds(1) / ProcessorBudget::kPeriod + 1;
// A thread may go beyond the budget by one quantum of work.
constexpr nanoseconds kQuantumMax = std::chrono::microseconds(250);

// A scheduler that has a task waiting behind another one finds it a free processor when it wakes,
// or when a processor goes idle and is expected to stay so for more than a moment. Miners that fill
// every gap prevent both, and the task waits for the other's end or for a tick, up to 4 ms. So
// threads take naps while there are others. On Linux 6.18 naps of 10 us were too short to help, 15
// enough; what a service waits longer at the worst is about the work between two naps (GOVERNOR.md,
// measured).
constexpr Naps kNaps{.after = std::chrono::microseconds(80),
                     .length = std::chrono::microseconds(25)};
constexpr double kAlone = 0.02;  // of the processors: tasks of others hardly ever meet

constexpr milliseconds kOthersAverage{100};
// One tick of the kernel's accounting is 10 ms, a tenth of what two processors have in 50 ms; a few
// percent of stolen time do not show in less than a second.
constexpr milliseconds kSlowAverage{1000};
// Two samples this close tell less than the kernel's ticks; the earlier one stays the base.
constexpr milliseconds kSampleApart{20};
// Wishes, windows and kill switch need no quick answer to the way back.
constexpr milliseconds kSlowSampleEvery{500};

// Others' load comes and goes by the second. Stolen time and heat are often caused by the mining
// itself, and would come back at once.
constexpr milliseconds kBusyHold{250};
constexpr milliseconds kBusyHoldMax{4'000};
constexpr milliseconds kStealHold{5'000};
constexpr milliseconds kHeatHold{30'000};
constexpr milliseconds kLongHoldMax{300'000};
// A run that lasts so many times the hold before it was worth it; after a shorter one the hold is
// doubled. So a stop costs a fifth of the time at most, unless it was held that long for a reason.
constexpr int kWorthwhile = 4;

// Where the miner competes as an equal, a service that wants all there is can show no more than
// what the miner leaves. So the miner's part has to be small: then saturation still shows as a use
// above stop_above. At the default of that it is 25 percent.
constexpr unsigned kNotIsolatedPercentMax = 25;

// In percent of a processor. Threads with less would mean many that wake for a moment, and more
// leaves too little choice of where to run: below stop_above a processor has more than this idle.
constexpr unsigned kThreadWorth = 25;

double share_of(nanoseconds part, nanoseconds whole) {
  if (whole.count() <= 0) return 0;
  return std::clamp(static_cast<double>(part.count()) / static_cast<double>(whole.count()), 0.0,
                    1.0);
}

// Moves an average towards what was seen during `time`.
void follow(double& average, double seen, nanoseconds time, nanoseconds constant) {
  const double passed = static_cast<double>(time.count()) / static_cast<double>(constant.count());
  average += (1 - std::exp(-passed)) * (seen - average);
}

double percent(unsigned value) {
  return static_cast<double>(value) / 100;
}

// "12.3 %", without the floating point's last digits.
std::string text_of(double share) {
  const auto tenths = static_cast<long>(std::lround(share * 1000));
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %";
}

}  // namespace

std::string_view to_string(LendingReason reason) {
  switch (reason) {
    case LendingReason::kKillSwitch:
      return "kill-switch";
    case LendingReason::kPaused:
      return "paused";
    case LendingReason::kOutsideWindows:
      return "outside-windows";
    case LendingReason::kBlind:
      return "blind";
    case LendingReason::kThrottled:
      return "throttled";
    case LendingReason::kSteal:
      return "steal";
    case LendingReason::kOthersBusy:
      return "others-busy";
    case LendingReason::kMeasuring:
      return "measuring";
    case LendingReason::kOperatorLimit:
      return "operator-limit";
    case LendingReason::kNotIsolated:
      return "not-isolated";
    case LendingReason::kThreads:
      return "threads";
    case LendingReason::kCap:
      return "cap";
    case LendingReason::kWhole:
      return "whole";
  }
  return "";
}

void Governor::Stop::engage(chain::Instant at) {
  if (is_on) return;
  is_on = true;
  if (hold.count() == 0) {
    hold = hold_min;
  } else if (resumed) {
    hold = at - *resumed < hold * kWorthwhile ? hold * 2 : hold / 2;
    hold = std::clamp(hold, hold_min, hold_max);
  }
  since = at;
}

bool Governor::Stop::may_release(chain::Instant at) const {
  return is_on && at - *since >= hold;
}

void Governor::Stop::release(chain::Instant at) {
  is_on = false;
  resumed = at;
}

Governor::Governor(const GovernorSettings& settings, const HostShape& host)
    : settings_(settings), host_(host) {
  EC_ASSERT(settings.cap_percent >= 1 && settings.cap_percent <= 100, "a cap is 1 to 100 percent");
  EC_ASSERT(settings.resume_below <= settings.stop_above && settings.stop_above <= 100,
            "mining resumes at less than it stops at");
  EC_ASSERT(settings.threads_max >= 1 && settings.threads_max <= 255, "1 to 255 threads");
  EC_ASSERT(settings.thread_percent >= 1 && settings.thread_percent <= 100, "1 to 100 percent");
  EC_ASSERT(host.cores >= 1 && host.processors >= host.cores, "a core has a processor or more");
  busy_.hold_min = kBusyHold;
  busy_.hold_max = kBusyHoldMax;
  steal_.hold_min = kStealHold;
  steal_.hold_max = kLongHoldMax;
  heat_.hold_min = kHeatHold;
  heat_.hold_max = kLongHoldMax;
}

const Decision& Governor::step(const HostSample& sample) {
  measure(sample);
  const LendingReason reason = stop_reason(sample);
  if (reason < LendingReason::kOperatorLimit) {
    decision_ = Decision{{}, reason, 0};
  } else {
    decision_ = lend();
  }
  return decision_;
}

void Governor::measure(const HostSample& sample) {
  if (sample.is_blind || !last_ || sample.at - last_->at > kGapMax) {
    is_known_ = false;
    was_above_ = false;
    last_ = sample.is_blind ? std::nullopt : std::optional(sample);
    return;
  }
  const nanoseconds time = sample.at - last_->at;
  if (time < kSampleApart) return;
  const nanoseconds whole = time * host_.processors;
  const nanoseconds own = sample.own - last_->own;
  const nanoseconds stolen = sample.stolen - last_->stolen;
  const nanoseconds idle = sample.idle - last_->idle;
  const double others = share_of(whole - idle - stolen - own, whole);
  if (is_known_) {
    follow(others_, others, time, kOthersAverage);
  } else {
    others_ = others;
  }
  follow(stolen_, share_of(stolen, whole), time, kSlowAverage);
  follow(lent_, share_of(own, whole), time, kSlowAverage);
  is_known_ = true;

  const bool is_above = others > percent(settings_.stop_above);
  if (others_ > percent(settings_.stop_above) || (is_above && was_above_)) busy_.engage(sample.at);
  was_above_ = is_above;
  watch(sample.at, sample.throttlings > last_->throttlings);
  last_ = sample;
}

void Governor::watch(chain::Instant at, bool was_throttled) {
  if (busy_.may_release(at) && others_ < percent(settings_.resume_below)) busy_.release(at);
  if (settings_.steal_above < 100 && stolen_ > percent(settings_.steal_above)) steal_.engage(at);
  if (steal_.may_release(at) && stolen_ <= percent(settings_.steal_above) / 2) steal_.release(at);
  if (was_throttled) {
    heat_.engage(at);
    heat_.since = at;  // it is not over as long as it goes on
  }
  if (heat_.may_release(at)) heat_.release(at);
}

bool Governor::heeds_others() const {
  return settings_.stop_above < 100 || settings_.steal_above < 100;
}

LendingReason Governor::stop_reason(const HostSample& sample) const {
  if (sample.has_kill_switch) return LendingReason::kKillSwitch;
  if (wish_.pauses) return LendingReason::kPaused;
  if (!settings_.windows.contains(sample.minute_of_week)) return LendingReason::kOutsideWindows;
  if (sample.is_blind && heeds_others()) return LendingReason::kBlind;
  if (heat_.is_on) return LendingReason::kThrottled;
  if (steal_.is_on) return LendingReason::kSteal;
  if (busy_.is_on) return LendingReason::kOthersBusy;
  if (!is_known_ && heeds_others()) return LendingReason::kMeasuring;
  return LendingReason::kWhole;
}

unsigned Governor::isolation_percent() const {
  if (host_.is_isolated) return 100;
  if (settings_.stop_above == 100) return kNotIsolatedPercentMax;
  return std::clamp((100 - settings_.stop_above) * 5 / 7, 1U, kNotIsolatedPercentMax);
}

Decision Governor::lend() const {
  // The tightest bound is the reason why it is not more; of equal ones the first.
  const std::pair<unsigned, LendingReason> bounds[] = {
      {settings_.cap_percent, LendingReason::kCap},
      {isolation_percent(), LendingReason::kNotIsolated},
      {wish_.limit_percent.value_or(100), LendingReason::kOperatorLimit},
  };
  unsigned tightest = 100;
  Decision decision{{}, LendingReason::kWhole, 0};
  for (const auto& [bound, reason] : bounds) {
    if (bound >= tightest) continue;
    tightest = bound;
    decision.reason = reason;
  }
  const unsigned threads_max = std::min(settings_.threads_max, host_.cores);
  // In hundredths of one processor.
  unsigned hundredths = tightest * host_.processors;
  if (threads_max * settings_.thread_percent < hundredths) {
    hundredths = threads_max * settings_.thread_percent;
    decision.reason = LendingReason::kThreads;
  }
  decision.share = percent(hundredths) / host_.processors;
  const unsigned threads = std::min(threads_max, (hundredths + kThreadWorth - 1) / kThreadWorth);
  decision.allowance.threads = threads;
  if (heeds_others() && others_ > kAlone) decision.allowance.naps = kNaps;
  if (hundredths < threads * 100)
    decision.allowance.per_period =
        (std::chrono::milliseconds(10) * hundredths - kQuantumMax * threads) / kCapPeriods;
  return decision;
}

milliseconds Governor::next_sample_after() const {
  return decision_.reason <= LendingReason::kOutsideWindows ? kSlowSampleEvery : kSampleEvery;
}

std::string Governor::explain() const {
  const std::string now = text_of(others_);
  switch (decision_.reason) {
    case LendingReason::kKillSwitch:
      return "stopped: the kill switch is there; remove the file to go on";
    case LendingReason::kPaused:
      return "stopped: paused by an operator; \"eventchain mining resume\" goes on";
    case LendingReason::kOutsideWindows:
      return "stopped: outside the times of mining.windows";
    case LendingReason::kBlind:
      return "stopped: what others use cannot be told, because /proc/stat cannot be read; "
             "ProcSubset=pid in a unit hides it";
    case LendingReason::kThrottled:
      return "stopped: a processor was slowed down for its heat";
    case LendingReason::kSteal:
      return "stopped: the hypervisor takes " + text_of(stolen_) + " (mining.steal_above is " +
             std::to_string(settings_.steal_above) + " %)";
    case LendingReason::kOthersBusy:
      return "stopped: others use or used more than " + std::to_string(settings_.stop_above) +
             " % (now " + now + "); it goes on below " + std::to_string(settings_.resume_below) +
             " %";
    case LendingReason::kMeasuring:
      return "stopped: what others use is being measured";
    case LendingReason::kOperatorLimit:
      return "lends up to " + text_of(decision_.share) + ": an operator's limit";
    case LendingReason::kNotIsolated:
      return "lends up to " + text_of(decision_.share) +
             ": the cgroup of this process competes with other services; set CPUWeight=idle for "
             "a unit that mines";
    case LendingReason::kThreads:
      return "lends up to " + text_of(decision_.share) +
             ": one thread for each physical core, at most mining.threads of "
             "mining.duty_percent each";
    case LendingReason::kCap:
      return "lends up to " + text_of(decision_.share) + ": mining.cap_percent";
    case LendingReason::kWhole:
      return "lends all that others leave";
  }
  return "";
}

}  // namespace eventchain::mining
