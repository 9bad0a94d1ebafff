#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "chain/block.h"

// What cannot both be of one history.
namespace eventchain::chain {

// What a receipt, or a checkpoint, says of a history: which block stands at a height, and its log.
struct HistoryPoint {
  struct Block {
    Height height;
    BlockId id;
    bool operator==(const Block&) const = default;
  };
  std::optional<Block> block;  // nullopt: a checkpoint that nobody signed tells a log alone
  std::uint64_t log_size = 0;
  Hash log_root;
  bool operator==(const HistoryPoint&) const = default;
};
HistoryPoint point_of(const SealedHeader& sealed);

enum class Contradiction : std::uint8_t {
  kOtherBlock,  // two blocks at one height
  kOtherLog,    // two logs of one size
  kShorterLog,  // the higher block has fewer entries: a log only grows
};
const char* to_string(Contradiction kind);  // as programs write it

// The first that there is between the two, in the order above. nullopt is not yet agreement.
std::optional<Contradiction> contradiction(const HistoryPoint& a, const HistoryPoint& b);
// A sentence for people.
// Pre: this is the contradiction between the two.
std::string describe(Contradiction kind, const HistoryPoint& a, const HistoryPoint& b);

}  // namespace eventchain::chain
