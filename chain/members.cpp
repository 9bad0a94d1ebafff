#include "chain/members.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "chain/hash.h"
#include "chain/member_fields.h"

namespace eventchain::chain {

namespace {

constexpr std::string_view kMembersTag = "ec:members";

constexpr std::size_t kAddressMax = 255;
// Of a member without name, site and addresses; of an invitation likewise.
constexpr std::size_t kMemberSizeMin = 16 + 32 + 2 + 1 + 1 + 16 + 1 + 1 + 1 + 8 + 8;
constexpr std::size_t kInvitationSizeMin = 32 + 1 + 1 + 1 + 8;

bool consists_of(std::string_view text, std::string_view punctuation) {
  return std::all_of(text.begin(), text.end(), [punctuation](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           punctuation.find(c) != std::string_view::npos;
  });
}

tl::unexpected<Error> refuse(std::string_view field, std::string_view remedy) {
  return fail(ErrorCode::kInvalid, fmt::format("{} {}", field, remedy));
}

}  // namespace

const char* to_string(MemberRole role) {
  switch (role) {
    case MemberRole::kVoter:
      return "voter";
    case MemberRole::kStandby:
      return "standby";
    case MemberRole::kObserver:
      return "observer";
    case MemberRole::kLight:
      return "light";
  }
  return "unknown";
}

std::uint64_t raft_id(const NodeId& node) {
  return load_little_endian<std::uint64_t>(node.octets.data());
}

bool is_member_name(std::string_view text) {
  return !text.empty() && text.size() <= kMemberNameMax && consists_of(text, "-");
}

bool is_site_name(std::string_view text) {
  return text.size() <= kMemberNameMax && consists_of(text, "-.");
}

bool is_address(std::string_view text) {
  if (text.size() > kAddressMax) return false;
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view port = text.substr(colon + 1);
  if (port.empty() || port.size() > 5 || port.front() == '0') return false;
  unsigned number = 0;
  for (const char c : port) {
    if (c < '0' || c > '9') return false;
    number = 10 * number + static_cast<unsigned>(c - '0');
  }
  if (number > 0xffff) return false;
  std::string_view host = text.substr(0, colon);
  if (host.front() == '[') {
    if (host.size() < 4 || host.back() != ']') return false;
    host = host.substr(1, host.size() - 2);
    return std::all_of(host.begin(), host.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
    });
  }
  return consists_of(host, "-.");
}

Result<void> check_member(const Member& member) {
  if (member.node.is_zero()) return refuse("node", "is zero; draw a random id");
  if (raft_id(member.node) == 0)
    return refuse("node", "begins with eight zero octets; draw a random id");
  if (member.signing_key.is_zero()) return refuse("signing_key", "is zero; make a key");
  if (member.store.is_zero()) return refuse("store", "is zero; draw a random id");
  if (!is_member_name(member.name)) return refuse("name", "must be 1 to 32 of a-z, 0-9 and '-'");
  if (!is_site_name(member.site)) return refuse("site", "must be at most 32 of a-z, 0-9, '-', '.'");
  if (!member.peers_address.empty() && !is_address(member.peers_address))
    return refuse("peers_address", "must be host:port, in lower case");
  if (!member.api_address.empty() && !is_address(member.api_address))
    return refuse("api_address", "must be host:port, in lower case");
  if (member.valid_from.value < 0 || member.valid_until.value < 0)
    return refuse("valid_from and valid_until", "must not be before 1970");
  if (member.valid_until.value != 0 && member.valid_until < member.valid_from)
    return refuse("valid_until", "lies before valid_from; 0 means no end");
  return {};
}

Result<void> check_member_set(const MemberSet& set) {
  std::set<std::uint64_t> ids;
  std::set<PublicKey> keys;
  std::set<StoreId> stores;
  std::set<std::string_view> names;
  const Member* before = nullptr;
  for (const Member& member : set.members) {
    if (auto checked = check_member(member); !checked) return checked;
    if (before != nullptr && before->slot >= member.slot)
      return refuse("slot", fmt::format("{} is not above the one before", member.slot.value));
    if (!ids.insert(raft_id(member.node)).second || !keys.insert(member.signing_key).second ||
        !stores.insert(member.store).second || !names.insert(member.name).second)
      return refuse("node, signing_key, store and name",
                    fmt::format("must be {}'s alone", member.name));
    before = &member;
  }
  const std::size_t voters = count_voters(set);
  if (voters < 1 || voters > kVotersMax)
    return refuse("members",
                  fmt::format("have {} voters, and must have 1 to {}", voters, kVotersMax));
  for (const Invitation& invitation : set.invitations)
    if (invitation.role == MemberRole::kVoter)
      return refuse("invitations", "invite a voter; nobody joins as one");
  return {};
}

MemberRole read_role(Reader& reader) {
  const std::uint8_t role = reader.u8();
  if (role < static_cast<std::uint8_t>(MemberRole::kVoter) ||
      role > static_cast<std::uint8_t>(MemberRole::kLight))
    reader.refuse("unknown role of a member");
  return static_cast<MemberRole>(role);
}

void write_member(Writer& writer, const Member& member) {
  writer.fixed(member.node)
      .fixed(member.signing_key)
      .u16(member.slot.value)
      .sized8(member.name)
      .sized8(member.site)
      .fixed(member.store)
      .u8(static_cast<std::uint8_t>(member.role))
      .sized8(member.peers_address)
      .sized8(member.api_address)
      .i64(member.valid_from.value)
      .i64(member.valid_until.value);
}

Member read_member(Reader& reader) {
  Member member;
  member.node = reader.fixed<NodeId>();
  member.signing_key = reader.fixed<PublicKey>();
  member.slot.value = reader.u16();
  member.name = reader.sized8(kMemberNameMax);
  member.site = reader.sized8(kMemberNameMax);
  member.store = reader.fixed<StoreId>();
  member.role = read_role(reader);
  member.peers_address = reader.sized8();
  member.api_address = reader.sized8();
  member.valid_from.value = reader.i64();
  member.valid_until.value = reader.i64();
  return member;
}

void write_invitation(Writer& writer, const Invitation& invitation) {
  writer.fixed(invitation.token_hash)
      .u8(static_cast<std::uint8_t>(invitation.role))
      .sized8(invitation.name)
      .sized8(invitation.site)
      .i64(invitation.until.value);
}

Invitation read_invitation(Reader& reader) {
  Invitation invitation;
  invitation.token_hash = reader.fixed<Hash>();
  invitation.role = read_role(reader);
  invitation.name = reader.sized8(kMemberNameMax);
  invitation.site = reader.sized8(kMemberNameMax);
  invitation.until.value = reader.i64();
  return invitation;
}

Bytes encode_member_set(const MemberSet& set) {
  Writer writer(64 + set.members.size() * 192 + set.invitations.size() * 80);
  writer.header(kMembersTag).u16(static_cast<std::uint16_t>(set.members.size()));
  for (const Member& member : set.members) write_member(writer, member);
  writer.u16(static_cast<std::uint16_t>(set.invitations.size()));
  for (const Invitation& invitation : set.invitations) write_invitation(writer, invitation);
  writer.u64(set.voters_since.value)
      .u8(set.policy.wanted)
      .u32(set.policy.grace_ms)
      .u16(set.feature_level);
  return writer.take();
}

Result<MemberSet> decode_member_set(ByteView bytes) {
  Reader reader(bytes);
  MemberSet set;
  reader.header(kMembersTag);
  const std::size_t members = reader.count16(kMembersMax, kMemberSizeMin);
  set.members.reserve(members);
  for (std::size_t i = 0; i < members && reader.ok(); ++i)
    set.members.push_back(read_member(reader));
  const std::size_t invitations = reader.count16(kInvitationsMax, kInvitationSizeMin);
  set.invitations.reserve(invitations);
  for (std::size_t i = 0; i < invitations && reader.ok(); ++i)
    set.invitations.push_back(read_invitation(reader));
  set.voters_since.value = reader.u64();
  set.policy.wanted = reader.u8();
  set.policy.grace_ms = reader.u32();
  set.feature_level = reader.u16();
  if (auto end = reader.finish("member set"); !end) return tl::unexpected<Error>(end.error());
  return set;
}

Hash member_set_hash(const MemberSet& set) {
  return sha256(encode_member_set(set));
}

const Member* member_at(const MemberSet& set, Slot slot) {
  const auto found = std::ranges::lower_bound(set.members, slot, {}, &Member::slot);
  return found == set.members.end() || found->slot != slot ? nullptr : &*found;
}

const Member* find_member(const MemberSet& set, const NodeId& node) {
  const auto found = std::ranges::find(set.members, node, &Member::node);
  return found == set.members.end() ? nullptr : &*found;
}

std::size_t count_role(const MemberSet& set, MemberRole role) {
  return static_cast<std::size_t>(std::ranges::count(set.members, role, &Member::role));
}

std::size_t count_voters(const MemberSet& set) {
  return count_role(set, MemberRole::kVoter);
}

}  // namespace eventchain::chain
