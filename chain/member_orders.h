#pragma once

#include <string>
#include <variant>
#include <vector>

#include "chain/members.h"

// How blocks change the member set. An order stands in a block's annex; what the block leaves is in
// force from the next height on, so a block's own slots and signatures are those of the set that
// its header names.
namespace eventchain::chain {

using JoinToken = FixedBytes<struct JoinTokenTag, 32>;  // secret until it is used, and then void
Hash token_hash(const JoinToken& token);

struct Invite {
  Invitation invitation;
  bool operator==(const Invite&) const = default;
};
struct RevokeInvitation {
  Hash token_hash;
  bool operator==(const RevokeInvitation&) const = default;
};
// Name, site and role are the invitation's; the slot is free_slot().
struct Admit {
  JoinToken token;
  Member member;
  bool operator==(const Admit&) const = default;
};
struct SetRole {
  NodeId node;
  MemberRole role;
  bool operator==(const SetRole&) const = default;
};
// New key, addresses, site or time; id, store, slot, role and name stay.
struct UpdateMember {
  Member member;
  bool operator==(const UpdateMember&) const = default;
};
// Not of a voter: it is demoted first.
struct RemoveMember {
  NodeId node;
  bool operator==(const RemoveMember&) const = default;
};
struct SetVoterPolicy {
  VoterPolicy policy;
  bool operator==(const SetVoterPolicy&) const = default;
};
struct RaiseFeatureLevel {
  std::uint16_t level = 0;
  bool operator==(const RaiseFeatureLevel&) const = default;
};

struct MemberOrder {
  std::string by;  // who wants it: a client's name, "policy" for the leader's own, may be empty
  std::variant<Invite, RevokeInvitation, Admit, SetRole, UpdateMember, RemoveMember, SetVoterPolicy,
               RaiseFeatureLevel>
      what;
  bool operator==(const MemberOrder&) const = default;
};
inline constexpr std::size_t kOrderByMax = 64;
// Whether one can stand for the other: the slot of an admission is the leader's to choose.
bool is_same_wish(const MemberOrder& a, const MemberOrder& b);

// Kind octet and fields, as an annex item has them.
void write_order(Writer& writer, const MemberOrder& order);
MemberOrder read_order(Reader& reader, std::uint8_t kind);

// Applies the orders of one block in turn. The message of a refusal names the thing and the remedy.
class MemberChange {
 public:
  // `before`: in force at `height`; `time`: the header's, by which invitations run out.
  MemberChange(MembersRef before, Height height, UnixMillis time);
  Result<void> apply(const MemberOrder& order);
  // The lowest slot that nobody has at this height nor would have after it. Shares belong to one
  // template and so to one height: a slot may be given again right after the block that freed it.
  [[nodiscard]] Slot free_slot() const;
  [[nodiscard]] const MemberSet& now() const { return after_; }
  // `before` itself if no order was applied.
  [[nodiscard]] MembersRef take();

 private:
  Result<void> carry_out(const Invite& order);
  Result<void> carry_out(const RevokeInvitation& order);
  Result<void> carry_out(const Admit& order);
  Result<void> carry_out(const SetRole& order);
  Result<void> carry_out(const UpdateMember& order);
  Result<void> carry_out(const RemoveMember& order);
  Result<void> carry_out(const SetVoterPolicy& order);
  Result<void> carry_out(const RaiseFeatureLevel& order);
  Result<Member*> find(const NodeId& node);
  Result<void> check_distinct(const Member& member) const;
  Result<void> change_voters(std::size_t voters_after);
  [[nodiscard]] Result<void> has_room_for(MemberRole role) const;

  const MembersRef before_;
  const Height height_;
  const UnixMillis time_;
  MemberSet after_;
  bool is_changed_ = false;
  bool has_changed_voters_ = false;
};

}  // namespace eventchain::chain
