#pragma once

#include <cstdint>

#include "chain/members.h"
#include "chain/result.h"

// How a program of the next version joins a cluster of older ones. What an older program would
// misread (a new kind of message, of order, of log entry) belongs to a feature level. A program
// knows the highest level that it can do, and its hello tells it; a block raises the cluster's
// level by one once the programs of all voters can (node/steward.h). Whoever is about to do such a
// thing asks is_on() first; and a message that needs it goes only to peers whose hello told the
// level (node/members.h), because one without a vote may be behind that block, and its program
// older.
namespace eventchain::chain {

// What this program can do. Rises with the first thing that needs it.
inline constexpr std::uint16_t kFeatureLevelMax = 1;

// Whether things of this level may be done. Of a block its header's set decides, of all else the
// newest set that was applied; so the block that raises the level is itself of the level before.
constexpr bool is_on(const MemberSet& set, std::uint16_t level) {
  return level <= set.feature_level;
}

// Whether a program understands all that may be done under this set. One that does not must not run
// on: the error says what to do.
constexpr bool can_follow(const MemberSet& set, std::uint16_t program) {
  return set.feature_level <= program;
}
Result<void> check_program(const MemberSet& set, std::uint16_t program);

}  // namespace eventchain::chain
