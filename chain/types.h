#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

#include "chain/bytes.h"

// The domain's vocabulary as types: two values of different meaning never have the same type.
// chain/README.md is the glossary.
namespace eventchain::chain {

// An integer with a meaning. No arithmetic but what the meaning allows: next() and differences.
template <class Tag, class Rep>
struct Strong {
  Rep value{};

  constexpr auto operator<=>(const Strong&) const = default;
  [[nodiscard]] constexpr Strong next() const { return Strong{static_cast<Rep>(value + 1)}; }
};

using Height = Strong<struct HeightTag, std::uint64_t>;               // genesis is 0
using Position = Strong<struct PositionTag, std::uint64_t>;           // index in the log, from 0
using StreamVersion = Strong<struct StreamVersionTag, std::int64_t>;  // 0,1,2..; -1: empty stream
using Slot = Strong<struct SlotTag, std::uint16_t>;  // a member's prefix of the nonce space

inline constexpr StreamVersion kEmptyStream{-1};

using Hash = FixedBytes<struct HashTag, 32>;        // a SHA-256 value without a finer name
using BlockId = FixedBytes<struct BlockIdTag, 32>;  // SHA-256(template hash || seal)
using TemplateHash = FixedBytes<struct TemplateHashTag, 32>;
using ChainId = FixedBytes<struct ChainIdTag, 32>;        // hash of the canonical genesis
using Commitment = FixedBytes<struct CommitmentTag, 32>;  // salted hash of an event's body
using Salt = FixedBytes<struct SaltTag, 32>;
using EventKey = FixedBytes<struct EventKeyTag, 16>;    // names (source, id) for ever
using StreamKey = FixedBytes<struct StreamKeyTag, 16>;  // names a stream
using NodeId = FixedBytes<struct NodeIdTag, 16>;        // random, fixed when the node joins
using ShortId = FixedBytes<struct ShortIdTag, 8>;       // of an event, where nothing rests on it

// The first octets. Two commitments may share them; who makes an event can see to that.
inline ShortId short_id(const Commitment& commitment) {
  return *ShortId::from(commitment.view().substr(0, ShortId::kSize));
}

// A point on the node's monotonic clock. Comparable only inside one run of one node.
struct Instant {
  std::chrono::nanoseconds since_start{0};
  constexpr auto operator<=>(const Instant&) const = default;
  friend constexpr Instant operator+(Instant at, std::chrono::nanoseconds by) {
    return {at.since_start + by};
  }
  friend constexpr std::chrono::nanoseconds operator-(Instant a, Instant b) {
    return a.since_start - b.since_start;
  }
};

// Wall-clock time, milliseconds since the Unix epoch. Information only: no safety rule reads it.
struct UnixMillis {
  std::int64_t value{0};
  constexpr auto operator<=>(const UnixMillis&) const = default;
};

// The only time the core ever sees; handed in with every input.
struct Now {
  Instant steady;
  UnixMillis wall;
};

}  // namespace eventchain::chain
