#include "node/api/members_json.h"

namespace eventchain::node::api {

namespace {

void append(JsonText& out, const chain::Invite& order) {
  out.text("kind", "invite").key("invitation");
  append_invitation(out, order.invitation);
}
void append(JsonText& out, const chain::RevokeInvitation& order) {
  out.text("kind", "revoke-invitation").text("token_hash", to_hex(order.token_hash));
}
// The token is void by now; it shows who was meant.
void append(JsonText& out, const chain::Admit& order) {
  out.text("kind", "admit").text("token", to_hex(order.token)).key("member");
  append_member(out, order.member);
}
void append(JsonText& out, const chain::SetRole& order) {
  out.text("kind", "set-role")
      .text("node", to_hex(order.node))
      .text("role", chain::to_string(order.role));
}
void append(JsonText& out, const chain::UpdateMember& order) {
  out.text("kind", "update").key("member");
  append_member(out, order.member);
}
void append(JsonText& out, const chain::RemoveMember& order) {
  out.text("kind", "remove").text("node", to_hex(order.node));
}
void append(JsonText& out, const chain::SetVoterPolicy& order) {
  out.text("kind", "set-voter-policy").key("policy");
  append_policy(out, order.policy);
}
void append(JsonText& out, const chain::RaiseFeatureLevel& order) {
  out.text("kind", "raise-feature-level").number("level", order.level);
}

}  // namespace

std::optional<chain::MemberRole> parse_role(std::string_view text) {
  using enum chain::MemberRole;
  for (const chain::MemberRole role : {kVoter, kStandby, kObserver, kLight})
    if (text == chain::to_string(role)) return role;
  return std::nullopt;
}

void append_member(JsonText& out, const chain::Member& member) {
  out.open_object()
      .text("node", to_hex(member.node))
      .text("name", member.name)
      .text("site", member.site)
      .text("role", chain::to_string(member.role))
      .number("slot", member.slot.value)
      .text("signing_key", to_hex(member.signing_key))
      .text("store", to_hex(member.store));
  if (!member.peers_address.empty()) out.text("peers_address", member.peers_address);
  if (!member.api_address.empty()) out.text("api_address", member.api_address);
  if (member.valid_from.value != 0) out.text("valid_from", rfc3339(member.valid_from));
  if (member.valid_until.value != 0) out.text("valid_until", rfc3339(member.valid_until));
  out.close_object();
}

void append_invitation(JsonText& out, const chain::Invitation& invitation) {
  out.open_object()
      .text("token_hash", to_hex(invitation.token_hash))
      .text("name", invitation.name)
      .text("site", invitation.site)
      .text("role", chain::to_string(invitation.role))
      .text("until", rfc3339(invitation.until))
      .close_object();
}

void append_policy(JsonText& out, const chain::VoterPolicy& policy) {
  out.open_object()
      .number("wanted", policy.wanted)
      .number("grace_ms", policy.grace_ms)
      .close_object();
}

void append_order(JsonText& out, const chain::MemberOrder& order) {
  out.open_object();
  std::visit([&out](const auto& what) { append(out, what); }, order.what);
  out.text("by", order.by).close_object();
}

}  // namespace eventchain::node::api
