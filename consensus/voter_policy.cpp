#include "consensus/voter_policy.h"

#include <algorithm>
#include <string>
#include <vector>

namespace eventchain::consensus {

namespace {

using chain::Member;
using chain::MemberRole;

// The leader asks in every turn, and there may be hundreds of members: nothing here goes through
// all of them for each of them.
struct View {
  View(const chain::MemberSet& members, const std::map<chain::NodeId, MemberHealth>& known,
       const chain::NodeId& leader)
      : set(members), health(known), self(leader) {
    for (const Member& member : set.members)
      if (member.role == MemberRole::kVoter && !is_lost(member)) ++voters_at[member.site];
  }

  const chain::MemberSet& set;
  const std::map<chain::NodeId, MemberHealth>& health;
  const chain::NodeId& self;
  std::map<std::string, std::size_t> voters_at;  // by site, without the lost ones

  [[nodiscard]] MemberHealth of(const Member& member) const {
    if (member.node == self) return {true, true, {}};
    const auto found = health.find(member.node);
    return found == health.end() ? MemberHealth{} : found->second;
  }
  [[nodiscard]] bool is_lost(const Member& member) const {
    const MemberHealth known = of(member);
    return !known.is_linked && known.away_for >= std::chrono::milliseconds(set.policy.grace_ms);
  }
  [[nodiscard]] std::size_t voters_of(const std::string& site) const {
    const auto found = voters_at.find(site);
    return found == voters_at.end() ? 0 : found->second;
  }
};

// The best member to become a voter; nullptr if nobody is fit.
const Member* candidate(const View& view) {
  const Member* best = nullptr;
  const auto rank = [&](const Member& member) {
    // Standbys before observers, then sites with few voters, then the lowest slot.
    return std::pair(member.role == MemberRole::kStandby ? 0 : 1, view.voters_of(member.site));
  };
  for (const Member& member : view.set.members) {
    const bool may = member.role == MemberRole::kStandby || member.role == MemberRole::kObserver;
    const MemberHealth health = view.of(member);
    if (!may || !health.is_linked || !health.is_caught_up || health.is_too_old) continue;
    if (best == nullptr || rank(member) < rank(*best)) best = &member;
  }
  return best;
}

// The voter that can go; nullptr if none may.
const Member* dispensable(const View& view, bool lost_only) {
  const Member* worst = nullptr;
  const auto rank = [&](const Member& member) {
    return std::pair(view.is_lost(member) ? 1 : 0, view.voters_of(member.site));
  };
  for (const Member& member : view.set.members) {
    if (member.role != MemberRole::kVoter || member.node == view.self) continue;
    if (lost_only && !view.is_lost(member)) continue;
    // The last of equals goes, so that the first members stay.
    if (worst == nullptr || rank(member) >= rank(*worst)) worst = &member;
  }
  return worst;
}

}  // namespace

std::optional<chain::SetRole> next_voter_step(const chain::MemberSet& set,
                                              const std::map<chain::NodeId, MemberHealth>& health,
                                              const chain::NodeId& self) {
  if (set.policy.wanted == 0) return std::nullopt;
  const View view(set, health, self);
  const std::size_t voters = chain::count_voters(set);
  std::size_t linked = 0;
  std::size_t lost = 0;
  for (const Member& member : set.members) {
    if (member.role != MemberRole::kVoter) continue;
    if (view.of(member).is_linked) ++linked;
    if (view.is_lost(member)) ++lost;
  }
  const auto keeps_majority = [](std::size_t alive, std::size_t of) { return alive > of / 2; };

  const bool is_short = voters < set.policy.wanted;
  const bool is_hurt = lost > 0 && voters <= set.policy.wanted;
  const Member* fresh = is_short || is_hurt ? candidate(view) : nullptr;
  if ((is_short || is_hurt) && fresh != nullptr && voters < chain::kVotersMax &&
      keeps_majority(linked + 1, voters + 1))
    return chain::SetRole{fresh->node, MemberRole::kVoter};

  const bool is_over = voters > set.policy.wanted;
  // Seven wanted and one lost: there is no room for an eighth, so the lost one goes first.
  const bool must_make_room = is_hurt && fresh != nullptr && voters == chain::kVotersMax;
  const Member* gone = is_over || must_make_room ? dispensable(view, must_make_room) : nullptr;
  if (gone == nullptr) return std::nullopt;
  const std::size_t linked_after = linked - (view.of(*gone).is_linked ? 1 : 0);
  if (!keeps_majority(linked_after, voters - 1)) return std::nullopt;
  return chain::SetRole{gone->node, MemberRole::kStandby};
}

}  // namespace eventchain::consensus
