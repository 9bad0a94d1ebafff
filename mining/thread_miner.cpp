#include "mining/thread_miner.h"

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <utility>

#include "chain/result.h"

namespace eventchain::mining {
namespace {

// Shares one thread may have found and not delivered. Ordinary targets give a few per minute; with
// an easy one the thread waits for the delivery.
constexpr std::size_t kUndeliveredShares = 256;

chain::Instant read_clock(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return {std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec)};
}

void become_idle_priority() {
  const sched_param no_priority{};
  if (sched_setscheduler(0, SCHED_IDLE, &no_priority) == 0) return;
  // Some sandboxes forbid the call. On Linux the nice value, too, belongs to the thread.
  constexpr int kLowest = 19;
  setpriority(PRIO_PROCESS, 0, kLowest);
}

}  // namespace

// What a miner thread shares with the rest.
struct ThreadMiner::Lane {
  explicit Lane(std::uint8_t thread_number) : thread(thread_number) {}

  const std::uint8_t thread;
  LatestValue<Command> commands;
  SharedQueue<Found, kUndeliveredShares> found;
  std::atomic<bool> waits_for_room = false;
  WakeUp wake;
  // Processor times of the miner thread, which alone uses these.
  chain::Instant charged;
  chain::Instant napped;
  alignas(64) std::atomic<std::uint64_t> hashes = 0;  // written by the miner thread alone
};

ThreadMiner::ThreadMiner(const ThreadMinerOptions& options, OnShare on_share)
    : options_(options), on_share_(std::move(on_share)), allowed_threads_(options.threads) {
  EC_ASSERT(options.threads >= 1 && options.threads <= 256, "a miner has 1 to 256 threads");
  for (unsigned i = 0; i < options.threads; ++i)
    lanes_.push_back(std::make_unique<Lane>(static_cast<std::uint8_t>(i)));
  delivery_ = std::jthread([this](const std::stop_token& stopping) { deliver_all(stopping); });
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    Lane* const own = lane.get();
    miners_.emplace_back(
        [this, own](const std::stop_token& stopping) { run_lane(stopping, *own); });
  }
}

ThreadMiner::~ThreadMiner() {
  stop();
  for (std::jthread& miner : miners_) miner.request_stop();
  for (const std::unique_ptr<Lane>& lane : lanes_) lane->wake.notify();
  for (std::jthread& miner : miners_) miner.join();
  delivery_.request_stop();
  delivery_wake_.notify();
  delivery_.join();
}

void ThreadMiner::allow(const Allowance& allowance) {
  budget_.allow(allowance.per_period.count() > 0 ? std::optional(allowance.per_period)
                                                 : std::nullopt);
  nap_after_ = allowance.naps.after;
  nap_length_ = allowance.naps.length;
  if (allowed_threads_.exchange(allowance.threads) >= allowance.threads) return;
  for (const std::unique_ptr<Lane>& lane : lanes_) lane->wake.notify();
}

void ThreadMiner::mine(const WorkOrder& order) {
  command(order);
}

void ThreadMiner::stop() {
  command(std::nullopt);
}

void ThreadMiner::command(std::optional<WorkOrder> order) {
  const std::lock_guard lock(mutex_);
  if (order == order_) return;
  order_ = order;
  ++epoch_;
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    lane->commands.put({epoch_, order_});
    lane->wake.notify();
  }
}

std::uint64_t ThreadMiner::hashes() const {
  std::uint64_t sum = 0;
  for (const std::unique_ptr<Lane>& lane : lanes_)
    sum += lane->hashes.load(std::memory_order_relaxed);
  return sum;
}

std::chrono::nanoseconds ThreadMiner::processor_time() {
  std::chrono::nanoseconds sum{0};
  for (std::jthread& miner : miners_) {
    clockid_t clock{};
    if (pthread_getcpuclockid(miner.native_handle(), &clock) == 0)
      sum += read_clock(clock).since_start;
  }
  return sum;
}

void ThreadMiner::run_lane(const std::stop_token& stopping, Lane& lane) {
  become_idle_priority();
  // By default the kernel may let a nap become three times as long.
  prctl(PR_SET_TIMERSLACK, 1UL);
  const std::unique_ptr<Search> search = options_.search(lane.thread, options_.start);
  std::uint64_t epoch = 0;
  bool has_order = false;
  std::vector<chain::Nonce> shares;
  while (!stopping.stop_requested()) {
    const bool is_allowed = lane.thread < allowed_threads_.load(std::memory_order_relaxed);
    if (!is_allowed || (!has_order && !lane.commands.is_fresh())) {
      lane.wake.wait();
      continue;
    }
    if (const Command* command = lane.commands.take()) {
      epoch = command->epoch;
      has_order = command->order.has_value();
      if (has_order) search->switch_to(*command->order);
      continue;
    }
    shares.clear();
    const std::uint64_t computed = search->advance(shares);
    lane.hashes.fetch_add(computed, std::memory_order_relaxed);
    for (const chain::Nonce& nonce : shares) hand_over(stopping, lane, {epoch, nonce});
    if (!shares.empty()) delivery_wake_.notify();
    rest(stopping, lane);
  }
}

void ThreadMiner::hand_over(const std::stop_token& stopping, Lane& lane, const Found& found) {
  while (!lane.found.push(found)) {
    // A share of a superseded order would be thrown away at its delivery.
    if (stopping.stop_requested() || lane.commands.is_fresh()) return;
    lane.waits_for_room = true;
    // The delivery may have made room before it could see the flag.
    if (lane.found.push(found)) return;
    delivery_wake_.notify();
    lane.wake.wait();
  }
}

void ThreadMiner::rest(const std::stop_token& stopping, Lane& lane) {
  const std::chrono::nanoseconds nap = nap_length_.load(std::memory_order_relaxed);
  if (nap.count() == 0 && !budget_.is_limited()) return;
  const chain::Instant used = read_clock(CLOCK_THREAD_CPUTIME_ID);
  std::optional<chain::Instant> end;
  if (budget_.is_limited()) end = budget_.charge(read_clock(CLOCK_MONOTONIC), used - lane.charged);
  lane.charged = used;
  // An order that comes now is taken up when the rest is over: many orders must not buy more time.
  while (end && !stopping.stop_requested() && read_clock(CLOCK_MONOTONIC) < *end)
    lane.wake.wait_until(*end);
  if (nap.count() == 0 || used - lane.napped < nap_after_.load(std::memory_order_relaxed)) return;
  lane.napped = used;
  const timespec time{.tv_sec = 0, .tv_nsec = nap.count()};
  if (!end) clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
}

void ThreadMiner::deliver_all(const std::stop_token& stopping) {
  while (!stopping.stop_requested()) {
    delivery_wake_.wait();
    for (const std::unique_ptr<Lane>& lane : lanes_) {
      // Not more than a queueful at a time, so that no lane waits for another's flood.
      std::size_t taken = 0;
      for (; taken < kUndeliveredShares; ++taken) {
        const std::optional<Found> found = lane->found.pop();
        if (!found) break;
        deliver(*found);
      }
      if (taken == kUndeliveredShares) delivery_wake_.notify();
      if (lane->waits_for_room.exchange(false)) lane->wake.notify();
    }
  }
}

void ThreadMiner::deliver(const Found& found) {
  const std::lock_guard lock(mutex_);
  if (found.epoch == epoch_ && order_) on_share_({order_->template_hash, found.nonce});
}

}  // namespace eventchain::mining
