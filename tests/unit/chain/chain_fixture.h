#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "chain/assembler.h"
#include "chain/rng.h"
#include "chain/work.h"

// What the tests of blocks share: a small constitution, a committed chain in memory, a seal maker.
namespace eventchain::chain::testing {

// Nearly every hash is a share.
inline constexpr CompactTarget kAnyHash{0x20ffffff};
// One hash in 512 is a share.
inline constexpr CompactTarget kSomeHashes{0x1f7fffff};

Genesis small_genesis();

// Of small_genesis().
const ShareDigest& small_digest();

Hash random_hash(Rng& rng);
template <class Kind>
Kind random_bytes(Rng& rng) {
  Kind result;
  for (auto& octet : result.octets) octet = static_cast<std::uint8_t>(rng.next());
  return result;
}

// Names made from small numbers.
EventKey key_of(std::uint64_t number);
StreamKey stream_of(std::uint64_t number);
Commitment commitment_of(std::uint64_t number);
EventFacts facts_of(std::uint64_t number, std::uint64_t stream,
                    std::optional<std::int64_t> expected = std::nullopt);

// Placed events and stream versions in plain ordered maps.
class MemoryView : public ChainView {
 public:
  bool is_placed(const EventKey& key) override { return placed.count(key) > 0; }
  StreamVersion stream_version(const StreamKey& stream) override {
    const auto found = versions.find(stream);
    return found == versions.end() ? kEmptyStream : found->second;
  }
  void place(const EventFacts& facts) {
    placed.emplace(facts.key, facts);
    versions[facts.stream] = stream_version(facts.stream).next();
  }
  std::optional<EventFacts> facts(const EventKey& key) const {
    const auto found = placed.find(key);
    if (found == placed.end()) return std::nullopt;
    return found->second;
  }

  std::map<EventKey, EventFacts> placed;
  std::map<StreamKey, StreamVersion> versions;
};

// Searches in the slots of all members in turn; feasible for the two targets above.
Seal seal_for(const ChainState& state, const TemplateHeader& header, UnixMillis sealed_at);

// A chain that grows block by block through the real assembler and rules.
struct Growing {
  explicit Growing(Genesis genesis) : state(initial_state(genesis)) {}

  // Assembles on top of the tip; the clock stands one interval after the tip was sealed.
  [[nodiscard]] Assembly assemble_next(Instant now = {});
  // Checks, seals and commits, and takes from the pool what is settled.
  SealedHeader commit(const Assembly& assembly);

  ChainState state;
  MemoryView view;
  PendingPool pool{PoolLimits{}};
  SameContent same_content = [](const EventFacts&, const EventFacts&) { return false; };
};

}  // namespace eventchain::chain::testing
