#include "tools/eventchain/index_pass.h"

#include <fmt/format.h>

#include "store/sqlite/block_rows.h"
#include "store/sqlite/columns.h"

namespace eventchain::tools {

using store::ChainScan;
using Place = HeldBody::Place;

namespace {

constexpr const char* kKeys = "keys";
constexpr const char* kStreams = "streams";

}  // namespace

IndexPass::IndexPass(const BodyPass& bodies, const std::set<std::uint64_t>& suspects, Found& found)
    : bodies_(bodies),
      suspects_(suspects),
      findings_(found.surely),
      unless_grown_(found.unless_grown),
      is_named_(bodies.places_end()) {}

void IndexPass::complain(Findings& findings, const HeldBody& held, const std::string& text) const {
  if (held.place == Place::kPlaced && suspects_.contains(held.position)) return;
  findings.add({"index", held.place == Place::kPlaced ? held.position : held.arrival,
                fmt::format("key={}: {}", to_hex(held.facts.key), text)});
}

const HeldBody* IndexPass::take(const char* index, std::uint64_t arrival) {
  ++entries_;
  const auto place = bodies_.find(arrival);
  const HeldBody* held = place ? &bodies_.held(*place) : nullptr;
  if (held == nullptr || held->place == Place::kPending) {
    unless_grown_.add(
        {"index", arrival,
         fmt::format("the index of {} names arrival {}, which no block settled", index, arrival)});
    return nullptr;
  }
  if (is_named_[*place]) complain(*held, fmt::format("the index of {} names it twice", index));
  is_named_[*place] = true;
  return held;
}

void IndexPass::finish(const char* index, bool with_rejected) {
  bodies_.each([&](BodyPass::Place place, const HeldBody& held) {
    if (is_named_[place] || held.place == Place::kPending) return;
    if (held.place == Place::kRejected && !with_rejected) return;
    complain(held, fmt::format("the index of {} does not name it", index));
  });
}

void IndexPass::judge_key(const KeyEntry& entry) {
  const HeldBody* held = take(kKeys, entry.arrival);
  if (held != nullptr && held->state != HeldBody::State::kUnreadable &&
      store::key_prefix(held->facts.key) != entry.prefix)
    complain(*held, "the index of keys has it under another key");
}

void IndexPass::read_keys(ChainScan& scan) {
  constexpr std::size_t kAhead = 64;
  std::vector<KeyEntry> expected;
  expected.reserve(kAhead);
  const auto judge_all = [&] {
    for (const KeyEntry& entry : expected) judge_key(entry);
    expected.clear();
  };
  const auto read = scan.keys([&](std::int64_t prefix, std::uint64_t arrival) {
    bodies_.expect(arrival);
    expected.push_back({prefix, arrival});
    if (expected.size() == kAhead) judge_all();
  });
  judge_all();
  if (!read) return findings_.add({"database", 0, read.error().message});
  finish(kKeys, true);
}

void IndexPass::read_streams(ChainScan& scan) {
  const auto read = scan.stream_chunks([&](const ChainScan::ChunkRow& chunk) {
    const auto arrivals = store::unpack_arrivals(chunk.arrivals);
    if (!arrivals)
      return findings_.add(
          {"index", 0,
           fmt::format("stream {} from version {} on: {}", chain::to_hex(chunk.stream),
                       chunk.first_version, arrivals.error().message)});
    std::int64_t version = chunk.first_version;
    for (const std::uint64_t arrival : *arrivals) {
      const HeldBody* held = take(kStreams, arrival);
      const auto expected = version++;
      if (held == nullptr || held->state == HeldBody::State::kUnreadable) continue;
      if (held->place != Place::kPlaced)
        complain(unless_grown_, *held, "the index of streams names it, and it was rejected");
      else if (held->facts.stream.view() != chunk.stream || held->version != expected)
        complain(*held, "the index of streams has it in another place");
    }
  });
  if (!read) return findings_.add({"database", 0, read.error().message});
  finish(kStreams, false);
}

}  // namespace eventchain::tools
