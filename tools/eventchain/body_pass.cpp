#include "tools/eventchain/body_pass.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include <fmt/format.h>

#include "store/sqlite/block_rows.h"
#include "tools/eventchain/side_by_side.h"

namespace eventchain::tools {

using chain::Result;
using store::ChainScan;

namespace {

HeldBody recompute(const ChainScan::EventRow& row, const chain::EventLimits& limits) {
  HeldBody held;
  held.arrival = row.arrival;
  held.place = row.place;
  held.position = row.position;
  held.height = row.height;
  held.version = row.version;
  held.reason = row.reason;
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

}  // namespace

// What the threads share.
struct BodyPass::Shared {
  const VerifyOptions& options;
  const std::uint64_t arrivals_end;
  std::vector<Range>& ranges;
  Findings& findings;

  std::mutex mutex{};  // guards `ranges`, `findings` and what follows
  std::uint64_t next_arrival = 0;
  std::uint64_t octets = 0;
  std::atomic<std::uint64_t> done{0};

  void report(Finding finding) {
    const std::lock_guard lock(mutex);
    findings.add(std::move(finding));
  }

  // The next arrivals to read. Gaps are leapt over: a damaged arrival number may be anywhere.
  std::optional<std::uint64_t> claim(ChainScan& scan) {
    const std::lock_guard lock(mutex);
    if (next_arrival >= arrivals_end) return std::nullopt;
    const auto first = scan.next_arrival(next_arrival);
    if (!first) findings.add({"database", next_arrival, first.error().message});
    if (!first || !*first || **first >= arrivals_end) {
      next_arrival = arrivals_end;
      return std::nullopt;
    }
    next_arrival = **first + std::min(kRangeArrivals, arrivals_end - **first);
    return **first;
  }
};

void BodyPass::work(Shared& shared, ChainScan& scan) {
  const chain::EventLimits limits = chain::event_limits(shared.options.genesis);
  std::vector<Range> ranges;
  std::uint64_t octets = 0;
  while (const auto first = shared.claim(scan)) {
    Range& range = ranges.emplace_back();
    range.first = *first;
    const std::uint64_t end = *first + std::min(kRangeArrivals, shared.arrivals_end - *first);
    range.bodies.reserve(std::min(end, shared.arrivals_end) - *first);
    const auto read = scan.events(*first, end, [&](const ChainScan::EventRow& row) {
      const HeldBody& held = range.bodies.emplace_back(recompute(row, limits));
      octets += row.salt.size() + row.body.size();
      shared.done.fetch_add(1, std::memory_order_relaxed);
      if (store::mark_of(held.facts.commitment) != row.mark &&
          row.place == ChainScan::EventRow::Place::kPending)
        shared.report({"database", row.arrival,
                       fmt::format("the event of arrival {}, which waits for its block, does not "
                                   "hash to what was put",
                                   row.arrival)});
      else if (store::mark_of(held.facts.commitment) != row.mark)
        range.bodies.back().has_good_mark = false;
    });
    if (!read) shared.report({"database", *first, read.error().message});
    range.bodies.shrink_to_fit();
  }
  const std::lock_guard lock(shared.mutex);
  for (Range& range : ranges) shared.ranges.push_back(std::move(range));
  shared.octets += octets;
}

Result<BodyPass> BodyPass::run(const VerifyOptions& options, const ChainScan::Extent& extent,
                               Findings& findings) {
  std::vector<std::unique_ptr<ChainScan>> scans;
  for (unsigned i = 0; i < std::max(1U, options.threads); ++i) {
    auto scan = store::open_scan(options.database, options.genesis);
    if (!scan) return tl::unexpected<chain::Error>(scan.error());
    scans.push_back(std::move(*scan));
  }
  BodyPass pass;
  Shared shared{options, extent.arrivals_end, pass.ranges_, findings};
  std::atomic<std::size_t> taken{0};
  side_by_side(
      options.threads, [&] { work(shared, *scans[taken++]); },
      [&] {
        if (options.progress)
          options.progress(VerifyStage::kBodies, shared.done.load(), extent.settled);
      });
  pass.octets_ = shared.octets;
  std::ranges::sort(pass.ranges_, {}, &Range::first);
  pass.placed_.assign(extent.placed, kNowhere);
  pass.place_all(extent.blocks, findings);
  return pass;
}

void BodyPass::place_all(std::uint64_t blocks, Findings& findings) {
  each([&](Place place, const HeldBody& body) {
    if (body.place == HeldBody::Place::kPending) return;
    ++settled_;
    if (body.place == HeldBody::Place::kRejected) {
      rejected_.emplace(body.facts.commitment, place);
    } else if (body.position >= placed_.size()) {
      // Above the tip that is verified a running node goes on.
      if (body.height < blocks)
        findings.add({"event", body.position,
                      fmt::format("the event of arrival {} claims a position beyond the end of the "
                                  "log",
                                  body.arrival)});
    } else if (placed_[body.position] != kNowhere) {
      findings.add(
          {"event", body.position,
           fmt::format("the event of arrival {} claims a position that is taken", body.arrival)});
    } else {
      placed_[body.position] = place;
    }
  });
}

const HeldBody* BodyPass::rejected(const chain::Commitment& commitment) const {
  const auto found = rejected_.find(commitment);
  return found == rejected_.end() ? nullptr : &held(found->second);
}

const HeldBody* BodyPass::placed(const chain::Commitment& commitment) const {
  if (by_commitment_.empty())
    each([this](Place place, const HeldBody& body) {
      if (body.place == HeldBody::Place::kPlaced)
        by_commitment_.emplace(body.facts.commitment, place);
    });
  const auto found = by_commitment_.find(commitment);
  return found == by_commitment_.end() ? nullptr : &held(found->second);
}

const BodyPass::Range* BodyPass::range_of(std::uint64_t arrival) const {
  const auto after = std::ranges::upper_bound(ranges_, arrival, {}, &Range::first);
  return after == ranges_.begin() ? nullptr : &*std::prev(after);
}

void BodyPass::expect(std::uint64_t arrival) const {
  const Range* range = range_of(arrival);
  if (range == nullptr || arrival - range->first >= range->bodies.size()) return;
  const HeldBody& body = range->bodies[arrival - range->first];
  __builtin_prefetch(&body);
  __builtin_prefetch(&body.arrival);
}

std::optional<BodyPass::Place> BodyPass::find(std::uint64_t arrival) const {
  const Range* range = range_of(arrival);
  if (range == nullptr) return std::nullopt;
  const Place base = static_cast<Place>(range - ranges_.data()) * kRangeArrivals;
  // Nearly always there is no gap.
  const std::uint64_t offset = arrival - range->first;
  const std::vector<HeldBody>& bodies = range->bodies;
  if (offset < bodies.size() && bodies[offset].arrival == arrival) return base + offset;
  const auto found = std::ranges::lower_bound(bodies, arrival, {}, &HeldBody::arrival);
  if (found == bodies.end() || found->arrival != arrival) return std::nullopt;
  return base + static_cast<Place>(found - bodies.begin());
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
