#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "chain/keys.h"
#include "node/api/handlers.h"
#include "node/api/json_object.h"
#include "node/api/members_json.h"
#include "node/api/ordering.h"

// POST /v1/members: a new node hands in its token and is admitted. Its certificate is made after
// that, for a certificate of somebody who is no member would open no link but would exist.
namespace eventchain::node::api {

namespace {

constexpr std::size_t kRequestBytesMax = 16 * 1024;

struct Joining {
  chain::JoinToken token;
  chain::Member member;  // name, site and role are the invitation's, the slot is the leader's
  std::string request;   // for its certificate; may be empty
};

bool is_pem(std::string_view text) {
  return text.starts_with("-----BEGIN ") && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 0x20 && c <= 0x7e) || c == '\n' || c == '\r';
         });
}

Joining read_joining(JsonObject& fields) {
  Joining joining;
  joining.token = fields.hex<chain::JoinToken>("token");
  joining.member.node = fields.hex<chain::NodeId>("node");
  joining.member.store = fields.hex<chain::StoreId>("store");
  joining.member.signing_key = fields.hex<chain::PublicKey>("signing_key");
  if (const auto checked = chain::check_public_key(joining.member.signing_key); !checked)
    fields.refuse("signing_key: " + checked.error().message);
  joining.member.peers_address = fields.optional_text("peers_address").value_or("");
  joining.member.api_address = fields.optional_text("api_address").value_or("");
  if (const auto request = fields.optional_text("csr")) {
    joining.request = *request;
    if (request->size() > kRequestBytesMax || !is_pem(*request))
      fields.refuse(
          fmt::format("csr must be a certificate request in PEM form of at most {} "
                      "octets",
                      kRequestBytesMax));
  }
  return joining;
}

// What the new member is told; `certificate` is empty if none was asked for or nobody makes any.
void answer_joined(const CallPtr& call, chain::Height height, const chain::Member& member,
                   const std::optional<chain::Result<std::string>>& certificate) {
  JsonText document;
  document.open_object().big("height", height.value).key("member");
  append_member(document, member);
  if (const auto& authority = call->context->options.peers_ca) document.text("ca", authority());
  if (certificate && *certificate)
    document.text("certificate", **certificate);
  else if (certificate)
    document.text("certificate_error", certificate->error().message);
  document.close_object();
  call->answer_json(201, std::move(document));
}

void admitted(const CallPtr& call, const Joining& joining, chain::Height height) {
  const auto members = call->context->reader.members(height.next());
  if (!members) return call->answer(problem_response(members.error()));
  const chain::Member* found = chain::find_member(**members, joining.member.node);
  const chain::Member member = found != nullptr ? *found : joining.member;
  const IssueCertificate& issue = call->context->options.issue_certificate;
  if (joining.request.empty() || !issue) return answer_joined(call, height, member, std::nullopt);
  issue({member.node, member.name, joining.request},
        [call, height, member](chain::Result<std::string> certificate) {
          call->later([call, height, member, certificate = std::move(certificate)] {
            answer_joined(call, height, member, certificate);
          });
        });
}

void join(const CallPtr& call, Joining joining, const chain::MemberSet& members) {
  const auto invited = std::ranges::find(members.invitations, chain::token_hash(joining.token),
                                         &chain::Invitation::token_hash);
  if (invited == members.invitations.end())
    return call->answer(Problem::kOrderRefused,
                        "the token is of no open invitation; it was used, revoked or mistyped");
  joining.member.name = invited->name;
  joining.member.site = invited->site;
  joining.member.role = invited->role;
  if (const auto checked = chain::check_member(joining.member); !checked)
    return call->answer(Problem::kMalformedRequest, checked.error().message);
  chain::MemberOrder order{client_name(*call), chain::Admit{joining.token, joining.member}};
  give_order(call, std::move(order), [call, joining = std::move(joining)](chain::Height height) {
    admitted(call, joining, height);
  });
}

}  // namespace

void post_member(const CallPtr& call) {
  const auto body = take_body(call);
  if (!body) return;
  JsonObject fields(*body, "the join");
  const Joining joining = read_joining(fields);
  if (const auto finished = fields.finish(); !finished)
    return call->answer(Problem::kMalformedRequest, finished.error().message);
  with_members(
      call, [call, joining](const chain::MembersRef& members) { join(call, joining, *members); });
}

}  // namespace eventchain::node::api
