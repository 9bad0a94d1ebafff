#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "chain/types.h"
#include "mining/budget.h"
#include "mining/time_windows.h"

namespace eventchain::mining {

struct GovernorSettings {
  unsigned cap_percent = 50;      // of the processors; 1..100
  unsigned stop_above = 65;       // percent that others use; 1..100, 100: never
  unsigned resume_below = 50;     // at most stop_above
  unsigned steal_above = 2;       // percent that the hypervisor takes; 1..100, 100: never
  unsigned threads_max = 255;     // 1..255
  unsigned thread_percent = 100;  // of a processor for each thread, on the average; 1..100
  TimeWindows windows;
};

// What does not change while the miner lives.
struct HostShape {
  unsigned processors = 1;  // that this process may run on; percentages are of these
  unsigned cores = 1;       // physical ones among them
  // Whether the miner's threads get idle time alone (cpu.idle of their cgroup). Elsewhere they
  // compete with other groups as equals.
  bool is_isolated = false;
};

// What an operator wants until he wants something else.
struct OperatorWish {
  bool pauses = false;
  std::optional<unsigned> limit_percent = std::nullopt;  // below the cap; 1..100
  bool operator==(const OperatorWish&) const = default;
};

// What the host's counters say at one moment. Times are sums over the processors since any fixed
// moment; when one goes back, as after a change of processors, others look busy for that sample.
struct HostSample {
  chain::Instant at;
  std::chrono::nanoseconds idle{0};
  std::chrono::nanoseconds stolen{0};
  std::chrono::nanoseconds own{0};  // of the miner's threads
  std::uint64_t throttlings = 0;    // times a processor was slowed down for its heat
  bool is_blind = false;            // the times could not be read
  bool has_kill_switch = false;
  unsigned minute_of_week = 0;  // local, from Monday 00:00
};

// Why nothing is lent, or why not more; what goes before is said first.
enum class LendingReason : std::uint8_t {
  kKillSwitch,
  kPaused,
  kOutsideWindows,  // up to here it is somebody's will
  kBlind,           // the host's counters cannot be read
  kThrottled,
  kSteal,
  kOthersBusy,
  kMeasuring,      // too little is known of the last moments
  kOperatorLimit,  // from here on it lends
  kNotIsolated,
  kThreads,
  kCap,
  kWhole,  // all that is idle
};
inline constexpr std::size_t kLendingReasons = 13;
std::string_view to_string(LendingReason reason);

struct Decision {
  Allowance allowance;
  LendingReason reason = LendingReason::kMeasuring;
  double share = 0;  // of the processors, at most, while it lends; 0..1
  [[nodiscard]] bool lends() const { return allowance.threads > 0; }
  bool operator==(const Decision&) const = default;
};

// Decides how much of the processors the miner may use beside the host's own services. Pure: no
// clocks, no files, no threads; the same samples give the same decisions. Owned by the thread that
// samples; to be stepped every next_sample_after().
//
// It stops when others use more than stop_above (a moving average over about 100 ms, or two samples
// in a row) and goes on when they use less than resume_below. It stops, never slows down: short
// duty cycles hurt a service's p99 more than they lend. After a stop it waits, the longer the more
// often stops follow each other, so that a load that comes and goes does not make it flap. The cap
// holds in any second whenever it begins. GOVERNOR.md has the reasons.
class Governor {
 public:
  static constexpr std::chrono::milliseconds kSampleEvery{50};
  // A sample that comes later after its predecessor says nothing about the present.
  static constexpr std::chrono::milliseconds kGapMax{1000};

  Governor(const GovernorSettings& settings, const HostShape& host);

  void wish(const OperatorWish& wish) { wish_ = wish; }
  const Decision& step(const HostSample& sample);
  [[nodiscard]] std::chrono::milliseconds next_sample_after() const;

  [[nodiscard]] const Decision& decision() const { return decision_; }
  // The decision's reason as a sentence for people, with the numbers and what would change it.
  [[nodiscard]] std::string explain() const;

  // Shares of the processors' time, 0..1: averages over about 100 ms and twice about a second.
  [[nodiscard]] double others() const { return others_; }
  [[nodiscard]] double stolen() const { return stolen_; }
  [[nodiscard]] double lent() const { return lent_; }

 private:
  // One cause of stops that come and go by themselves.
  struct Stop {
    std::chrono::milliseconds hold_min{0};
    std::chrono::milliseconds hold_max{0};
    bool is_on = false;
    std::chrono::milliseconds hold{0};  // between a stop and the resume at the earliest
    std::optional<chain::Instant> since = std::nullopt;    // the last stop
    std::optional<chain::Instant> resumed = std::nullopt;  // from it

    void engage(chain::Instant at);
    void release(chain::Instant at);
    [[nodiscard]] bool may_release(chain::Instant at) const;
  };

  void measure(const HostSample& sample);
  void watch(chain::Instant at, bool was_throttled);
  // Whether anything that others do could stop it.
  [[nodiscard]] bool heeds_others() const;
  [[nodiscard]] LendingReason stop_reason(const HostSample& sample) const;
  [[nodiscard]] Decision lend() const;
  [[nodiscard]] unsigned isolation_percent() const;

  // constant after construction
  const GovernorSettings settings_;
  const HostShape host_;

  OperatorWish wish_;
  std::optional<HostSample> last_;
  bool is_known_ = false;   // whether the averages speak of the present
  bool was_above_ = false;  // whether the last sample alone was above stop_above
  double others_ = 0;
  double stolen_ = 0;
  double lent_ = 0;
  Stop busy_;
  Stop steal_;
  Stop heat_;
  Decision decision_;
};

}  // namespace eventchain::mining
