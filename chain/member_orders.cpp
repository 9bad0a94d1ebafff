#include "chain/member_orders.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "chain/hash.h"
#include "chain/member_fields.h"

namespace eventchain::chain {

namespace {

constexpr std::string_view kTokenTag = "ec:token";
// Kinds of annex items; 1 is a rejection.
constexpr std::uint8_t kFirstKind = 2;

tl::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::kInvalid, std::move(message));
}

void write(Writer& writer, const Invite& order) {
  write_invitation(writer, order.invitation);
}
void write(Writer& writer, const RevokeInvitation& order) {
  writer.fixed(order.token_hash);
}
void write(Writer& writer, const Admit& order) {
  writer.fixed(order.token);
  write_member(writer, order.member);
}
void write(Writer& writer, const SetRole& order) {
  writer.fixed(order.node).u8(static_cast<std::uint8_t>(order.role));
}
void write(Writer& writer, const UpdateMember& order) {
  write_member(writer, order.member);
}
void write(Writer& writer, const RemoveMember& order) {
  writer.fixed(order.node);
}
void write(Writer& writer, const SetVoterPolicy& order) {
  writer.u8(order.policy.wanted).u32(order.policy.grace_ms);
}
void write(Writer& writer, const RaiseFeatureLevel& order) {
  writer.u16(order.level);
}

}  // namespace

Hash token_hash(const JoinToken& token) {
  Writer writer(64);
  writer.header(kTokenTag).fixed(token);
  return sha256(writer.take());
}

bool is_same_wish(const MemberOrder& a, const MemberOrder& b) {
  const auto* admit_a = std::get_if<Admit>(&a.what);
  const auto* admit_b = std::get_if<Admit>(&b.what);
  if (admit_a == nullptr || admit_b == nullptr) return a == b;
  Admit with_slot = *admit_b;
  with_slot.member.slot = admit_a->member.slot;
  return a.by == b.by && *admit_a == with_slot;
}

void write_order(Writer& writer, const MemberOrder& order) {
  writer.u8(static_cast<std::uint8_t>(kFirstKind + order.what.index())).sized8(order.by);
  std::visit([&writer](const auto& what) { write(writer, what); }, order.what);
}

MemberOrder read_order(Reader& reader, std::uint8_t kind) {
  MemberOrder order;
  order.by = reader.sized8(kOrderByMax);
  switch (kind) {
    case 2:
      order.what = Invite{read_invitation(reader)};
      break;
    case 3:
      order.what = RevokeInvitation{reader.fixed<Hash>()};
      break;
    case 4: {
      const auto token = reader.fixed<JoinToken>();
      order.what = Admit{token, read_member(reader)};
      break;
    }
    case 5: {
      const auto node = reader.fixed<NodeId>();
      order.what = SetRole{node, read_role(reader)};
      break;
    }
    case 6:
      order.what = UpdateMember{read_member(reader)};
      break;
    case 7:
      order.what = RemoveMember{reader.fixed<NodeId>()};
      break;
    case 8: {
      const std::uint8_t wanted = reader.u8();
      order.what = SetVoterPolicy{{wanted, reader.u32()}};
      break;
    }
    case 9:
      order.what = RaiseFeatureLevel{reader.u16()};
      break;
    default:
      reader.refuse("unknown kind");
  }
  return order;
}

MemberChange::MemberChange(MembersRef before, Height height, UnixMillis time)
    : before_(std::move(before)), height_(height), time_(time), after_(*before_) {}

Result<void> MemberChange::apply(const MemberOrder& order) {
  // A refusal leaves everything as it was: what is carried out checks before it changes.
  auto done = std::visit([this](const auto& what) { return carry_out(what); }, order.what);
  if (done && !std::exchange(is_changed_, true))
    std::erase_if(after_.invitations, [this](const auto& one) { return one.until < time_; });
  return done;
}

Slot MemberChange::free_slot() const {
  Slot slot;
  while (member_at(*before_, slot) != nullptr || member_at(after_, slot) != nullptr)
    slot = slot.next();
  return slot;
}

MembersRef MemberChange::take() {
  if (!is_changed_) return before_;
  return std::make_shared<const MemberSet>(std::move(after_));
}

Result<Member*> MemberChange::find(const NodeId& node) {
  const auto found = std::ranges::find(after_.members, node, &Member::node);
  if (found != after_.members.end()) return &*found;
  return fail(ErrorCode::kNotFound,
              fmt::format("no member has the id {}; list the members for theirs", to_hex(node)));
}

// Raft moves by one voter at a time, and each step must be done before the next begins.
Result<void> MemberChange::change_voters(std::size_t voters_after) {
  if (has_changed_voters_)
    return refuse("this block changes the voters already; one change at a time");
  if (voters_after == 0) return refuse("the last voter cannot go; promote another member first");
  if (voters_after > kVotersMax)
    return refuse(
        fmt::format("there are {} voters, which is the most; demote one first", kVotersMax));
  has_changed_voters_ = true;
  after_.voters_since = height_;
  return {};
}

Result<void> MemberChange::has_room_for(MemberRole role) const {
  if (role != MemberRole::kStandby || count_role(after_, role) < kStandbysMax) return {};
  return refuse(fmt::format("there are {} standbys, which is the most; make some of them observers",
                            kStandbysMax));
}

Result<void> MemberChange::check_distinct(const Member& member) const {
  for (const Member& other : after_.members) {
    if (other.node == member.node) continue;
    if (raft_id(other.node) == raft_id(member.node))
      return refuse(fmt::format("node {} begins like {}'s id; draw another", to_hex(member.node),
                                other.name));
    if (other.name == member.name)
      return refuse(fmt::format("the name {} is a member's already; choose another", other.name));
    if (other.signing_key == member.signing_key)
      return refuse(
          fmt::format("the signing key is {}'s too; each member has its own", other.name));
    if (other.store == member.store)
      return refuse(fmt::format("the store id is {}'s too; each disk has its own", other.name));
  }
  return {};
}

Result<void> MemberChange::carry_out(const Invite& order) {
  const Invitation& invitation = order.invitation;
  if (!is_member_name(invitation.name)) return refuse("name must be 1 to 32 of a-z, 0-9 and '-'");
  if (!is_site_name(invitation.site))
    return refuse("site must be at most 32 of a-z, 0-9, '-', '.'");
  if (invitation.role == MemberRole::kVoter)
    return refuse("nobody joins as a voter; invite a standby and promote it");
  if (invitation.until < time_) return refuse("the invitation has run out already; make a new one");
  for (const Member& member : after_.members)
    if (member.name == invitation.name)
      return refuse(fmt::format("the name {} is a member's already; choose another", member.name));
  std::size_t open = 0;
  for (const Invitation& other : after_.invitations) {
    if (other.until < time_) continue;
    ++open;
    if (other.name == invitation.name || other.token_hash == invitation.token_hash)
      return refuse(fmt::format("{} is invited already; revoke that first", other.name));
  }
  if (open >= kInvitationsMax)
    return refuse(fmt::format("{} invitations are open, which is the most; revoke some", open));
  const auto at = std::ranges::lower_bound(after_.invitations, invitation.token_hash, {},
                                           &Invitation::token_hash);
  after_.invitations.insert(at, invitation);
  return {};
}

Result<void> MemberChange::carry_out(const RevokeInvitation& order) {
  if (std::erase_if(after_.invitations,
                    [&](const auto& one) { return one.token_hash == order.token_hash; }) == 0)
    return fail(ErrorCode::kNotFound, "there is no such invitation; it may have been used");
  return {};
}

Result<void> MemberChange::carry_out(const Admit& order) {
  const Member& member = order.member;
  const auto invited =
      std::ranges::find(after_.invitations, token_hash(order.token), &Invitation::token_hash);
  if (invited == after_.invitations.end())
    return fail(ErrorCode::kNotFound,
                "the token is of no open invitation; it was used, revoked or mistyped");
  if (invited->until < time_)
    return refuse(fmt::format("the token of {} has run out; ask for a new one", invited->name));
  if (member.name != invited->name || member.site != invited->site || member.role != invited->role)
    return refuse(
        fmt::format("the token is for {}, with another name, site or role", invited->name));
  if (member.role == MemberRole::kVoter)
    return refuse("nobody joins as a voter; invite a standby and promote it");
  if (auto checked = check_member(member); !checked)
    return refuse("member: " + checked.error().message);
  if (find_member(after_, member.node) != nullptr || find_member(*before_, member.node) != nullptr)
    return refuse(
        fmt::format("node {} is a member already; a new disk is a new member with a new "
                    "id",
                    to_hex(member.node)));
  if (auto checked = check_distinct(member); !checked) return checked;
  if (after_.members.size() >= kMembersMax)
    return refuse(fmt::format("there are {} members, which is the most", kMembersMax));
  if (auto room = has_room_for(member.role); !room) return room;
  if (member.slot != free_slot()) return refuse("the slot is not the lowest free one");
  after_.invitations.erase(invited);
  const auto at = std::ranges::lower_bound(after_.members, member.slot, {}, &Member::slot);
  after_.members.insert(at, member);
  return {};
}

Result<void> MemberChange::carry_out(const SetRole& order) {
  const auto found = find(order.node);
  if (!found) return tl::unexpected<Error>(found.error());
  Member& member = **found;
  if (member.role == order.role)
    return refuse(fmt::format("{} is {} already", member.name, to_string(order.role)));
  // A light member has no bodies and a full one need not throw its own away: another disk.
  if (member.role == MemberRole::kLight || order.role == MemberRole::kLight)
    return refuse(
        fmt::format("{}: a light member does not become a full one or the reverse; "
                    "remove it and let it join anew",
                    member.name));
  if (auto room = has_room_for(order.role); !room) return room;
  const std::size_t voters = count_voters(after_);
  if (order.role == MemberRole::kVoter) {
    if (auto checked = change_voters(voters + 1); !checked) return checked;
  } else if (member.role == MemberRole::kVoter) {
    if (auto checked = change_voters(voters - 1); !checked) return checked;
  }
  member.role = order.role;
  return {};
}

Result<void> MemberChange::carry_out(const UpdateMember& order) {
  const auto found = find(order.member.node);
  if (!found) return tl::unexpected<Error>(found.error());
  Member& member = **found;
  if (order.member.store != member.store || order.member.slot != member.slot ||
      order.member.role != member.role || order.member.name != member.name)
    return refuse(
        fmt::format("{}: an update changes key, site, addresses and times alone", member.name));
  if (order.member == member) return refuse(fmt::format("{}: nothing would change", member.name));
  if (auto checked = check_member(order.member); !checked)
    return refuse("member: " + checked.error().message);
  if (auto checked = check_distinct(order.member); !checked) return checked;
  member = order.member;
  return {};
}

Result<void> MemberChange::carry_out(const RemoveMember& order) {
  const auto found = find(order.node);
  if (!found) return tl::unexpected<Error>(found.error());
  // It takes part in Raft until its vote is gone there, and a removed node takes part in nothing.
  if ((*found)->role == MemberRole::kVoter)
    return refuse(fmt::format("{} is a voter; demote it first", (*found)->name));
  after_.members.erase(after_.members.begin() + (*found - after_.members.data()));
  return {};
}

Result<void> MemberChange::carry_out(const SetVoterPolicy& order) {
  const std::uint8_t wanted = order.policy.wanted;
  if (wanted != 0 && wanted != 3 && wanted != 5 && wanted != 7)
    return refuse("voters wanted must be 3, 5 or 7, or 0 for no policy");
  if (order.policy == after_.policy) return refuse("the policy is that already");
  after_.policy = order.policy;
  return {};
}

Result<void> MemberChange::carry_out(const RaiseFeatureLevel& order) {
  if (order.level != after_.feature_level + 1)
    return refuse(fmt::format("the feature level is {}; it rises by one", after_.feature_level));
  after_.feature_level = order.level;
  return {};
}

}  // namespace eventchain::chain
