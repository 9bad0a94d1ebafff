#include "mining/governed_miner.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "chain/result.h"

namespace eventchain::mining {
namespace {

constexpr std::chrono::nanoseconds kRateAverage = std::chrono::seconds(10);

ThreadMinerOptions miner_options(const GovernedMinerOptions& options, const HostShape& host) {
  ThreadMinerOptions miner;
  // Threads that the governor would never use are not made.
  miner.threads = std::min(options.governor.threads_max, host.cores);
  miner.start = options.start;
  miner.search = options.search;
  return miner;
}

}  // namespace

GovernedMiner::GovernedMiner(GovernedMinerOptions options, ThreadMiner::OnShare on_share)
    : options_(std::move(options)),
      probe_(options_.probe),
      host_(probe_.shape()),
      governor_(options_.governor, host_),
      miner_(miner_options(options_, host_), std::move(on_share)) {
  miner_.allow({});
  report_.host = host_;
  report_.cap_percent = options_.governor.cap_percent;
  report_.state = LendingReport::State::kStopped;
  report_.why = governor_.explain();
  sampling_ = std::jthread([this](const std::stop_token& stopping) { run(stopping); });
}

GovernedMiner::~GovernedMiner() {
  sampling_.request_stop();
  wake_.notify();
  sampling_.join();
}

void GovernedMiner::mine(const WorkOrder& order) {
  miner_.mine(order);
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(has_order_, true)) return;
  }
  wake_.notify();
}

void GovernedMiner::stop() {
  miner_.stop();
  const std::lock_guard lock(mutex_);
  has_order_ = false;
}

void GovernedMiner::pause(bool wants) {
  {
    const std::lock_guard lock(mutex_);
    wish_.pauses = wants;
  }
  wake_.notify();
}

void GovernedMiner::limit(unsigned percent) {
  EC_ASSERT(percent >= 1 && percent <= 100, "a limit is 1 to 100 percent");
  {
    const std::lock_guard lock(mutex_);
    wish_.limit_percent = percent < 100 ? std::optional(percent) : std::nullopt;
  }
  wake_.notify();
}

LendingReport GovernedMiner::report() const {
  LendingReport report;
  {
    const std::lock_guard lock(mutex_);
    report = report_;
    report.wish = wish_;
    // What was measured for the last order is still there.
    if (!has_order_) report.state = LendingReport::State::kNoWork;
  }
  report.hashes = miner_.hashes();
  if (report.state == LendingReport::State::kNoWork) report.show_no_work();
  return report;
}

void GovernedMiner::run(const std::stop_token& stopping) {
  while (!stopping.stop_requested()) {
    bool works = false;
    OperatorWish wish;
    {
      const std::lock_guard lock(mutex_);
      works = has_order_;
      wish = wish_;
    }
    if (!works) {
      wake_.wait();
      continue;
    }
    step(wish);
    wake_.wait_until(monotonic_now() + governor_.next_sample_after());
  }
}

void GovernedMiner::step(const OperatorWish& wish) {
  governor_.wish(wish);
  const HostSample sample = probe_.sample(miner_.processor_time());
  const Decision& decision = governor_.step(sample);
  if (applied_ != decision.allowance) {
    applied_ = decision.allowance;
    miner_.allow(decision.allowance);
  }
  measure_rate(sample.at);
  publish();
  if (std::exchange(told_, decision.reason) != decision.reason)
    options_.changed(decision.reason, governor_.explain());
}

void GovernedMiner::measure_rate(chain::Instant at) {
  const std::chrono::nanoseconds time = at - rated_at_;
  if (time < Governor::kSampleEvery / 2) return;
  const std::uint64_t hashes = miner_.hashes();
  // A longer time had no work in it.
  if (time <= Governor::kGapMax) {
    const double passed = std::chrono::duration<double>(time).count();
    const double rate = static_cast<double>(hashes - rated_hashes_) / passed;
    hash_rate_ += (1 - std::exp(-passed / std::chrono::duration<double>(kRateAverage).count())) *
                  (rate - hash_rate_);
  }
  rated_at_ = at;
  rated_hashes_ = hashes;
}

void GovernedMiner::publish() {
  const Decision& decision = governor_.decision();
  const std::lock_guard lock(mutex_);
  report_.state = decision.lends() ? LendingReport::State::kLends : LendingReport::State::kStopped;
  report_.reason = decision.reason;
  report_.why = governor_.explain();
  report_.threads = decision.allowance.threads;
  report_.may_lend = decision.share;
  report_.lent = governor_.lent();
  report_.others = governor_.others();
  report_.stolen = governor_.stolen();
  report_.hash_rate = hash_rate_;
}

}  // namespace eventchain::mining
