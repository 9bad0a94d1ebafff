#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "chain/hash_rates.h"

// Blocks and members with what hash rates are told from, and nothing else in them.
namespace eventchain::chain::testing {

inline SealedHeader block_of(std::uint64_t height, std::uint64_t hashes_each, std::int64_t solve_ms,
                             const std::vector<std::uint16_t>& slots) {
  SealedHeader block;
  block.header.height = Height{height};
  block.header.share_target = compact(target_for(U256(hashes_each)));
  block.header.share_count = static_cast<std::uint16_t>(slots.size());
  block.header.started = UnixMillis{1'000};
  block.header.time = UnixMillis{5'000};
  block.seal.sealed_at = UnixMillis{5'000 + solve_ms};
  std::uint64_t counter = 0;
  for (const std::uint16_t slot : slots)
    block.seal.shares.push_back({nonce_high(Slot{slot}, 0, counter++), 0});
  return block;
}

inline MemberSet members_at_slots(const std::vector<std::pair<std::uint8_t, std::uint16_t>>& who) {
  MemberSet set;
  for (const auto& [id, slot] : who) {
    Member member;
    member.node.octets[0] = id;
    member.slot = Slot{slot};
    set.members.push_back(member);
  }
  return set;
}

inline NodeId id_of(std::uint8_t id) {
  NodeId node;
  node.octets[0] = id;
  return node;
}

}  // namespace eventchain::chain::testing
