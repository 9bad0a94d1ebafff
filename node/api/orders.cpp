#include <fmt/format.h>

#include <memory>
#include <utility>

#include "chain/keys.h"
#include "node/api/handlers.h"
#include "node/api/json_object.h"
#include "node/api/members_json.h"
#include "node/api/ordering.h"

// Orders of operators: request -> order -> the leader -> answer. Rules of the chain and of the
// moment are the leader's to judge; here only the form is checked.
namespace eventchain::node::api {

namespace {

constexpr std::int64_t kInvitationSecondsMin = 60;
constexpr std::int64_t kInvitationSecondsMax = 3600;

void answer_height(const CallPtr& call, chain::Height height) {
  JsonText document;
  document.open_object().big("height", height.value).close_object();
  call->answer_json(200, std::move(document));
}

void order_and_answer(const CallPtr& call, chain::MemberOrder order) {
  give_order(call, std::move(order), [call](chain::Height height) { answer_height(call, height); });
}

// By id, else by name: a name may consist of 32 hexadecimal digits too.
const chain::Member* find_named(const chain::MemberSet& set, std::string_view text) {
  const auto octets = chain::from_hex(text);
  const auto node = octets ? chain::NodeId::from(*octets) : std::nullopt;
  if (const chain::Member* member = node ? chain::find_member(set, *node) : nullptr) return member;
  for (const chain::Member& member : set.members)
    if (member.name == text) return &member;
  return nullptr;
}

// Goes on with the member of that id or name; answers if there is none.
void with_member(const CallPtr& call, std::string text,
                 std::function<void(const chain::Member&)> go_on) {
  with_members(call, [call, text = std::move(text),
                      go_on = std::move(go_on)](const chain::MembersRef& members) {
    if (const chain::Member* member = find_named(*members, text)) return go_on(*member);
    call->answer(Problem::kNotFound,
                 "no member has this id or name; GET /v1/members lists them all");
  });
}

// False after having refused.
bool is_well_formed(const CallPtr& call, JsonObject& fields) {
  const auto finished = fields.finish();
  if (!finished) call->answer(Problem::kMalformedRequest, finished.error().message);
  return finished.has_value();
}

chain::MemberRole read_role(JsonObject& fields) {
  const auto role = parse_role(fields.text("role"));
  if (!role) fields.refuse("role must be voter, standby, observer or light");
  return role.value_or(chain::MemberRole::kObserver);
}

chain::Invitation read_invitation(JsonObject& fields, chain::UnixMillis now) {
  chain::Invitation invitation;
  invitation.name = fields.text("name");
  if (!chain::is_member_name(invitation.name))
    fields.refuse("name must be 1 to 32 of a-z, 0-9 and '-'");
  invitation.site = fields.optional_text("site").value_or("");
  if (!chain::is_site_name(invitation.site))
    fields.refuse("site must be at most 32 of a-z, 0-9, '-', '.'");
  invitation.role = read_role(fields);
  if (invitation.role == chain::MemberRole::kVoter)
    fields.refuse("role must be standby, observer or light; voters are promoted standbys");
  invitation.token_hash = fields.hex<chain::Hash>("token_hash");
  const std::int64_t seconds =
      fields.has("valid_seconds")
          ? fields.integer("valid_seconds", kInvitationSecondsMin, kInvitationSecondsMax)
          : kInvitationSecondsMax;
  invitation.until = {now.value + 1000 * seconds};
  return invitation;
}

void read_time(JsonObject& fields, const char* name, chain::UnixMillis& place) {
  const auto text = fields.optional_text(name);
  if (!text) return;
  const auto time = text->empty() ? chain::UnixMillis{} : parse_rfc3339(*text);
  if (!time)
    return fields.refuse(
        fmt::format("{} must be like 2025-01-31T12:00:00.000Z, or empty for no bound", name));
  place = *time;
}

// What a PATCH changes of `member`.
void read_changes(JsonObject& fields, chain::Member& member) {
  if (const auto key = fields.optional_hex<chain::PublicKey>("signing_key")) {
    member.signing_key = *key;
    if (const auto checked = chain::check_public_key(*key); !checked)
      fields.refuse("signing_key: " + checked.error().message);
  }
  if (const auto address = fields.optional_text("peers_address")) member.peers_address = *address;
  if (const auto address = fields.optional_text("api_address")) member.api_address = *address;
  if (const auto site = fields.optional_text("site")) member.site = *site;
  read_time(fields, "valid_from", member.valid_from);
  read_time(fields, "valid_until", member.valid_until);
}

}  // namespace

void post_invitation(const CallPtr& call) {
  const auto by = take_operator(call);
  if (!by) return;
  const auto body = take_body(call);
  if (!body) return;
  JsonObject fields(*body, "the invitation");
  const auto invitation = read_invitation(fields, wall_now(*call->context));
  if (!is_well_formed(call, fields)) return;
  give_order(call, chain::MemberOrder{*by, chain::Invite{invitation}},
             [call, invitation](chain::Height height) {
               JsonText document;
               document.open_object().big("height", height.value).key("invitation");
               append_invitation(document, invitation);
               document.close_object();
               call->answer_json(201, std::move(document));
             });
}

void delete_invitation(const CallPtr& call) {
  const auto by = take_operator(call);
  if (!by) return;
  const auto octets = chain::from_hex(call->path[0]);
  const auto hash = octets ? chain::Hash::from(*octets) : std::nullopt;
  if (!hash)
    return call->answer(Problem::kMalformedRequest,
                        "the invitation is named by its token_hash: 64 lower-case hex digits");
  order_and_answer(call, {*by, chain::RevokeInvitation{*hash}});
}

void post_role(const CallPtr& call) {
  const auto by = take_operator(call);
  if (!by) return;
  const auto body = take_body(call);
  if (!body) return;
  JsonObject fields(*body, "the order");
  const auto role = read_role(fields);
  if (!is_well_formed(call, fields)) return;
  with_member(call, call->path[0], [call, by, role](const chain::Member& member) {
    order_and_answer(call, {*by, chain::SetRole{member.node, role}});
  });
}

void patch_member(const CallPtr& call) {
  const auto by = take_operator(call);
  if (!by) return;
  auto body = take_body(call);
  if (!body) return;
  with_member(call, call->path[0],
              [call, by, body = std::move(*body)](const chain::Member& member) {
                chain::Member changed = member;
                JsonObject fields(body, "the change");
                read_changes(fields, changed);
                if (!is_well_formed(call, fields)) return;
                if (const auto checked = chain::check_member(changed); !checked)
                  return call->answer(Problem::kMalformedRequest, checked.error().message);
                order_and_answer(call, {*by, chain::UpdateMember{std::move(changed)}});
              });
}

void delete_member(const CallPtr& call) {
  const auto by = take_operator(call);
  if (!by) return;
  with_member(call, call->path[0], [call, by](const chain::Member& member) {
    order_and_answer(call, {*by, chain::RemoveMember{member.node}});
  });
}

void put_policy(const CallPtr& call) {
  const auto by = take_operator(call);
  if (!by) return;
  const auto body = take_body(call);
  if (!body) return;
  JsonObject fields(*body, "the policy");
  chain::VoterPolicy policy;
  policy.wanted = fields.integer<std::uint8_t>("wanted");
  policy.grace_ms = fields.integer<std::uint32_t>("grace_ms");
  if (!is_well_formed(call, fields)) return;
  order_and_answer(call, {*by, chain::SetVoterPolicy{policy}});
}

void post_leader(const CallPtr& call) {
  if (!take_operator(call)) return;
  const auto body = take_body(call);
  if (!body) return;
  JsonObject fields(*body, "the order");
  const std::string to = fields.text("to");
  if (!is_well_formed(call, fields)) return;
  with_member(call, to, [call](const chain::Member& member) {
    give_order(call, net::TransferLeadership{member.node},
               [call, node = member.node](chain::Height height) {
                 JsonText document;
                 document.open_object()
                     .text("leader", to_hex(node))
                     .big("height", height.value)
                     .close_object();
                 call->answer_json(200, std::move(document));
               });
  });
}

}  // namespace eventchain::node::api
