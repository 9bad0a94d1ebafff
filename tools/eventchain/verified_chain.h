#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "chain/members.h"
#include "chain/types.h"

namespace eventchain::tools {

// What a pass over the blocks has recomputed and others go on from: ids by height as far as the
// blocks could be followed, and the member sets.
struct VerifiedChain {
  std::vector<chain::BlockId> ids;                  // by height, without a gap
  std::map<std::uint64_t, chain::MembersRef> sets;  // by the block that made them, genesis first
  std::map<std::uint64_t, chain::BlockId> met;      // that were asked for, also where it is unclear
  std::map<std::uint64_t, chain::Hash> log_roots;   // of the sizes that were asked for
  std::uint64_t blocks_end = 0;                     // one more than the greatest height met
  std::uint64_t log_size = 0;                       // as far as the blocks could be followed
  bool is_whole = true;                             // false: some block could not be followed

  // Whether the block is tied to genesis by all those below it.
  [[nodiscard]] bool is_followed(std::uint64_t height) const { return height < ids.size(); }
  // What the header at `height` > 0 names. Pre: the blocks below it were followed.
  [[nodiscard]] const chain::MembersRef& members_at(std::uint64_t height) const {
    return std::prev(sets.lower_bound(height))->second;
  }
  [[nodiscard]] const chain::MembersRef& members_after(std::uint64_t height) const {
    return members_at(height + 1);
  }
};

}  // namespace eventchain::tools
