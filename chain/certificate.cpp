#include "chain/certificate.h"

#include <algorithm>

#include "chain/base64.h"

namespace eventchain::chain {

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

std::string log_origin(const ChainId& chain) {
  return "eventchain/" + to_hex(chain);
}

Bytes certified_statement(const TemplateHeader& header, const BlockId& id) {
  Bytes text = log_origin(header.chain) + '\n';
  text += std::to_string(header.log_size) + '\n';
  text += to_base64(header.log_root.view()) + '\n';
  text += "height " + std::to_string(header.height.value) + '\n';
  text += "block " + to_hex(id) + '\n';
  text += "members " + to_hex(header.member_set) + '\n';
  return text;
}

std::size_t certificate_quorum(const MemberSet& members) {
  return count_voters(members) / 2 + 1;
}

bool is_certified(const Certificate& sound, const MemberSet& before, const MemberSet& after) {
  return has_majority(sound, before) || has_majority(sound, after);
}

MembersRef members_after(const MembersRef& before, const TemplateHeader& header,
                         const std::vector<AnnexItem>& annex) {
  if (annex_root(annex) != header.annex_root) return before;
  MemberChange change(before, header.height, header.time);
  for (const auto& item : annex)
    if (const auto* order = std::get_if<MemberOrder>(&item))
      if (!change.apply(*order)) return before;
  return change.take();
}

bool may_certify(Slot slot, const MemberSet& before, const MemberSet& after) {
  return is_voter(before, slot) || is_voter(after, slot);
}

Certificate sound_signatures(Signing& signing, const MemberSet& before, const MemberSet& after,
                             ByteView statement, const Certificate& certificate) {
  Certificate result;
  for (const SlotSignature& one : certificate) {
    const bool is_known = std::any_of(result.begin(), result.end(),
                                      [&](const auto& known) { return known.slot == one.slot; });
    const Member* member = member_at(before, one.slot);
    if (!is_known && member != nullptr && may_certify(one.slot, before, after) &&
        signing.verify(member->signing_key, statement, one.signature))
      result.push_back(one);
  }
  return result;
}

bool is_proven_by(Signing& signing, const MemberSet& before, const MemberSet& after,
                  const SealedHeader& sealed, const BlockId& id, const Certificate& certificate) {
  const Bytes statement = certified_statement(sealed.header, id);
  return is_certified(sound_signatures(signing, before, after, statement, certificate), before,
                      after);
}

}  // namespace eventchain::chain
