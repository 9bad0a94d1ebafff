// What follows when blocks change the members.

#include <set>
#include <utility>

#include "node/core_state.h"

namespace eventchain::node {

// pre: a block has made the ledger's set out of `before`.
void NodeCore::State::members_changed(const chain::MemberSet& before) {
  members.update(ledger.state().members);
  const bool was_member = chain::find_member(before, members.self_id()) != nullptr;
  for (const auto& member : before.members)
    if (member.node != members.self_id() && members.find(member.node) == nullptr)
      leaving[member.node] = now.steady + kFarewell;
  tell_members();
  if (was_member && members.self() == nullptr) is_removed = true;
  check_kind();
  role_changed(before);
  if (before.voters_since != members.set().voters_since)
    take_progress(durability.voters_changed(ledger));
}

// The last words of a node that was removed: to whoever asked for it, and to all who wait for what
// it will not hear of any more. Then the shell is told, which ends the process.
void NodeCore::State::answer_removed() {
  const chain::Instant never{std::chrono::nanoseconds::max()};
  clients.expire({never, now.wall});
  reads.expire(never);
  orders.expire(never);
  outbox.add(Removed{});
}

void NodeCore::State::tell_members() {
  MembersChanged changed{ledger.state().members, ledger.state().height(), {}};
  for (const auto& [node, until] : leaving)
    if (members.find(node) == nullptr) changed.leaving.push_back(node);
  outbox.add(std::move(changed));
}

void NodeCore::State::end_farewells() {
  const auto is_over = [this](const auto& one) { return one.second <= now.steady; };
  if (std::erase_if(leaving, is_over) > 0) tell_members();
}

// What was certified before is verified again, and what still lacks a certificate that others need
// is asked for again.
void NodeCore::State::reopen_certificates() {
  const chain::Height tip = ledger.state().height();
  const chain::Height certified = ledger.certified_before();
  std::set<chain::Height> heights{certified, tip};
  for (const auto height : ledger.uncertified_member_changes()) heights.insert(height);
  heights.erase(chain::Height{0});
  for (const chain::Height height : heights) {
    const auto block = ledger.block(height);
    if (!block) {
      outbox.notice(Notice::Level::kError, block.error().message);
      continue;
    }
    const auto before = ledger.members_at(height);
    auto after = ledger.members_at(height.next());
    if (*after == *before) after = before;
    certifier.applied({block->sealed, chain::block_id(block->sealed), before, after, {}});
  }
}

}  // namespace eventchain::node
