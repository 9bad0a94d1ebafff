#include "tools/difficulty/run.h"

#include <algorithm>
#include <cmath>

#include "chain/rng.h"

namespace eventchain::tools {

namespace {

constexpr double kSecond = 1000;

// Work done over time, second by second.
class Work {
 public:
  Work(const Capacity& capacity, std::uint64_t seed)
      : capacity_(capacity),
        end_(kSecond * static_cast<double>(capacity.hashes_per_ms.size())),
        rng_(seed) {}

  [[nodiscard]] double now() const { return now_; }
  [[nodiscard]] double end() const { return end_; }

  // Until a share of so many expected hashes is found, or `limit`: whether one was.
  bool search(double hashes, double limit) {
    double left = hashes * draw();
    while (now_ < limit) {
      const auto second = static_cast<std::size_t>(now_ / kSecond);
      const double rate = capacity_.hashes_per_ms[second];
      const double until = std::min(limit, kSecond * static_cast<double>(second + 1));
      if (left <= rate * (until - now_)) {
        now_ += left / rate;
        return true;
      }
      left -= rate * (until - now_);
      now_ = until;
    }
    return false;
  }

 private:
  // Exponential with mean 1.
  double draw() {
    constexpr double kScale = 1.0 / 9007199254740992.0;  // 2^-53
    return -std::log((static_cast<double>(rng_.next() >> 11) + 0.5) * kScale);
  }

  const Capacity& capacity_;
  const double end_;
  chain::Rng rng_;
  double now_ = 0;
};

// Moments at which blocks were sealed; the last is the end of the run, where none was.
std::vector<double> seals(const Capacity& capacity, DifficultyRule& rule,
                          const RuleSettings& settings, std::uint64_t seed) {
  Work work(capacity, seed);
  std::vector<double> sealed;
  while (work.now() < work.end()) {
    const auto started = static_cast<std::int64_t>(work.now());
    std::int64_t time = started;
    for (std::uint16_t found = 0; found < settings.shares;) {
      const auto easing = rule.next_easing(started, time);
      const double limit = easing ? std::min(work.end(), static_cast<double>(*easing)) : work.end();
      if (work.search(rule.share_hashes(started, time), limit)) {
        ++found;
      } else if (work.now() < work.end()) {
        time = *easing;
        found = 0;
      } else {
        sealed.push_back(work.end());
        return sealed;
      }
    }
    rule.sealed(started, time, static_cast<std::int64_t>(work.now()));
    sealed.push_back(work.now());
  }
  return sealed;
}

double most_in_a_minute(const std::vector<double>& sealed) {
  std::size_t most = 0;
  std::size_t first = 0;
  for (std::size_t last = 0; last < sealed.size(); ++last) {
    while (sealed[last] - sealed[first] >= 60 * kSecond) ++first;
    most = std::max(most, last - first + 1);
  }
  return static_cast<double>(most);
}

}  // namespace

Outcome mine(const Capacity& capacity, DifficultyRule& rule, const RuleSettings& settings,
             std::uint64_t seed) {
  const std::vector<double> sealed = seals(capacity, rule, settings, seed);
  const auto target = static_cast<double>(settings.interval_ms);
  std::vector<double> intervals;
  double before = 0;
  for (const double at : sealed) {
    intervals.push_back((at - before) / target);
    before = at;
  }
  Outcome outcome;
  outcome.blocks = intervals.size() - 1;
  outcome.longest = *std::ranges::max_element(intervals);
  double sum = 0;
  double squares = 0;
  for (const double interval : intervals) {
    sum += interval;
    squares += interval * interval;
  }
  // An event comes into an interval of length x with a chance of x, and waits half of it.
  outcome.wait = squares / (2 * sum);
  intervals.pop_back();
  if (intervals.empty()) return outcome;
  const auto count = static_cast<double>(intervals.size());
  outcome.mean = sum / count;
  outcome.variation =
      std::sqrt(std::max(0.0, squares / count - outcome.mean * outcome.mean)) / outcome.mean;
  std::ranges::sort(intervals);
  outcome.p99 = intervals[(intervals.size() - 1) * 99 / 100];
  outcome.most_a_minute = most_in_a_minute(sealed) / (60 * kSecond / target);
  return outcome;
}

}  // namespace eventchain::tools
