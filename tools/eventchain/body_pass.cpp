#include "tools/eventchain/body_pass.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <fmt/format.h>

namespace eventchain::tools {

using chain::Result;
using store::ChainScan;

namespace {

constexpr std::uint64_t kRangeArrivals = 16 * 1024;
constexpr std::chrono::milliseconds kProgressPause{50};

HeldBody recompute(const ChainScan::EventRow& row, const chain::EventLimits& limits) {
  HeldBody held;
  held.arrival = row.arrival;
  held.height = row.height;
  held.version = row.version;
  held.state = HeldBody::State::kUnreadable;
  const auto salt = chain::Salt::from(row.salt);
  if (!salt) return held;
  if (const Result<chain::EventFacts> facts = chain::derive_facts(*salt, row.body, limits)) {
    held.facts = *facts;
    held.state = HeldBody::State::kGood;
    return held;
  }
  held.facts.commitment = chain::commit(*salt, row.body);
  if (const Result<chain::Event> event = chain::decode_body(row.body)) {
    held.facts.key = chain::event_key(event->source(), event->id());
    held.facts.stream = chain::stream_key(event->stream());
    held.facts.expected = event->expected_version();
    held.facts.body_bytes = static_cast<std::uint32_t>(row.body.size());
    held.state = HeldBody::State::kDamaged;
  }
  return held;
}

// What the threads share. `placed` needs no lock: `claimed` gives each position one owner.
struct Shared {
  const VerifyOptions& options;
  std::vector<HeldBody>& placed;
  std::uint64_t arrivals_end;
  std::vector<std::atomic<bool>> claimed;
  std::atomic<std::uint64_t> next_arrival{0};
  std::atomic<std::uint64_t> done{0};
  std::mutex mutex;  // guards what follows
  std::map<chain::Commitment, HeldBody>& rejected;
  Findings& findings;
  unsigned running = 0;
  std::condition_variable finished;  // one thread less is running

  void report(Finding finding) {
    const std::lock_guard lock(mutex);
    findings.add(std::move(finding));
  }
};

void take_row(Shared& shared, const ChainScan::EventRow& row, const chain::EventLimits& limits) {
  HeldBody held = recompute(row, limits);
  shared.done.fetch_add(1, std::memory_order_relaxed);
  if (!row.has_position) {
    const std::lock_guard lock(shared.mutex);
    shared.rejected.emplace(held.facts.commitment, held);
  } else if (row.position >= shared.placed.size()) {
    shared.report(
        {"event", row.position,
         fmt::format("the event of arrival {} claims a position beyond the end of the log",
                     row.arrival)});
  } else if (shared.claimed[row.position].exchange(true)) {
    shared.report(
        {"event", row.position,
         fmt::format("the event of arrival {} claims a position that is taken", row.arrival)});
  } else {
    shared.placed[row.position] = held;
  }
}

void work(Shared& shared, ChainScan& scan) {
  const chain::EventLimits limits = chain::event_limits(shared.options.genesis);
  for (;;) {
    const std::uint64_t first = shared.next_arrival.fetch_add(kRangeArrivals);
    if (first >= shared.arrivals_end) break;
    const std::uint64_t end = std::min(first + kRangeArrivals, shared.arrivals_end);
    const auto read = scan.events(
        first, end, [&](const ChainScan::EventRow& row) { take_row(shared, row, limits); });
    if (!read) shared.report({"database", first, read.error().message});
  }
  const std::lock_guard lock(shared.mutex);
  --shared.running;
  shared.finished.notify_one();
}

void show_progress(Shared& shared, std::uint64_t total) {
  std::unique_lock lock(shared.mutex);
  const auto is_over = [&shared] { return shared.running == 0; };
  while (!shared.finished.wait_for(lock, kProgressPause, is_over)) {
    lock.unlock();
    if (shared.options.progress) shared.options.progress(shared.done.load(), total);
    lock.lock();
  }
}

}  // namespace

Result<BodyPass> BodyPass::run(const VerifyOptions& options, Findings& findings) {
  std::vector<std::unique_ptr<ChainScan>> scans;
  for (unsigned i = 0; i < std::max(1U, options.threads); ++i) {
    auto scan = store::open_scan(options.database, options.genesis);
    if (!scan) return tl::unexpected<chain::Error>(scan.error());
    scans.push_back(std::move(*scan));
  }
  const auto extent = scans.front()->extent();
  if (!extent) return tl::unexpected<chain::Error>(extent.error());
  BodyPass pass;
  pass.placed_.resize(extent->placed);
  Shared shared{options,
                pass.placed_,
                extent->arrivals_end,
                std::vector<std::atomic<bool>>(extent->placed),
                {},
                {},
                {},
                pass.rejected_,
                findings,
                static_cast<unsigned>(scans.size()),
                {}};
  std::vector<std::thread> threads;
  threads.reserve(scans.size());
  for (const auto& scan : scans) threads.emplace_back([&shared, &scan] { work(shared, *scan); });
  show_progress(shared, extent->placed);
  for (std::thread& thread : threads) thread.join();
  if (options.progress) options.progress(shared.done.load(), extent->placed);
  return pass;
}

const HeldBody* BodyPass::rejected(const chain::Commitment& commitment) const {
  const auto found = rejected_.find(commitment);
  return found == rejected_.end() ? nullptr : &found->second;
}

std::string describe_body(const VerifyOptions& options, const HeldBody& held) {
  std::string description = "its attributes cannot be read any more";
  const auto scan = store::open_scan(options.database, options.genesis);
  if (!scan) return description;
  const auto read =
      (*scan)->events(held.arrival, held.arrival + 1, [&](const ChainScan::EventRow& row) {
        if (const auto event = chain::decode_body(row.body))
          description = fmt::format("now reads source={} id={} type={}", event->source(),
                                    event->id(), event->type());
      });
  return read ? description : read.error().message;
}

}  // namespace eventchain::tools
