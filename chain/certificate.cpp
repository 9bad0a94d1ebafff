#include "chain/certificate.h"

#include <algorithm>

#include "chain/encoding.h"

namespace eventchain::chain {

Bytes certified_statement(const TemplateHeader& header, const BlockId& id) {
  return Writer(160)
      .header("ec:cert")
      .fixed(header.chain)
      .u64(header.height.value)
      .fixed(id)
      .u64(header.log_size)
      .fixed(header.log_root)
      .fixed(header.member_set)
      .take();
}

std::size_t certificate_quorum(const MemberSet& members) {
  return count_voters(members) / 2 + 1;
}

namespace {

bool is_voter(const MemberSet& members, Slot slot) {
  const Member* member = member_at(members, slot);
  return member != nullptr && member->role == MemberRole::kVoter;
}

bool has_majority(const Certificate& sound, const MemberSet& members) {
  const auto voters = std::ranges::count_if(
      sound, [&](const SlotSignature& one) { return is_voter(members, one.slot); });
  return static_cast<std::size_t>(voters) >= certificate_quorum(members);
}

}  // namespace

bool is_certified(const Certificate& sound, const MemberSet& before, const MemberSet& after) {
  return has_majority(sound, before) || has_majority(sound, after);
}

bool may_certify(Slot slot, const MemberSet& before, const MemberSet& after) {
  return is_voter(before, slot) || is_voter(after, slot);
}

}  // namespace eventchain::chain
