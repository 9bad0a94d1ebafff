#pragma once

#include <optional>
#include <string_view>

#include "chain/member_orders.h"
#include "node/api/json_text.h"

// Members and orders as the API tells them (openapi.json, schemas Member, Invitation, MemberOrder).
namespace eventchain::node::api {

std::optional<chain::MemberRole> parse_role(std::string_view text);
void append_member(JsonText& out, const chain::Member& member);
void append_invitation(JsonText& out, const chain::Invitation& invitation);
void append_policy(JsonText& out, const chain::VoterPolicy& policy);
// As an annex item.
void append_order(JsonText& out, const chain::MemberOrder& order);

}  // namespace eventchain::node::api
