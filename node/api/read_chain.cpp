#include <fmt/format.h>

#include "node/api/handlers.h"
#include "node/api/members_json.h"
#include "node/api/outcome_json.h"
#include "node/api/signatures.h"
#include "node/genesis_json.h"

namespace eventchain::node::api {

namespace {

constexpr std::size_t kHeadersDefault = 100;
constexpr std::size_t kHeadersMax = 1000;

// The nonce as its three parts, most significant first.
void append_share(JsonText& out, const chain::Nonce& nonce) {
  out.open_object()
      .number("slot", nonce.slot().value)
      .text("nonce", fmt::format("{:016x}{:08x}", nonce.high, nonce.low))
      .close_object();
}

// Header and seal, without braces.
void append_sealed(JsonText& out, const chain::SealedHeader& sealed) {
  const chain::TemplateHeader& header = sealed.header;
  out.big("height", header.height.value)
      .text("id", to_hex(chain::block_id(sealed)))
      .text("parent", to_hex(header.parent))
      .text("chain", to_hex(header.chain))
      .big("log_size", header.log_size)
      .text("log_root", to_hex(header.log_root))
      .text("history_root", to_hex(header.history_root))
      .text("annex_root", to_hex(header.annex_root))
      .text("member_set", to_hex(header.member_set))
      .text("started", rfc3339(header.started))
      .text("time", rfc3339(header.time))
      .text("sealed_at", rfc3339(sealed.seal.sealed_at))
      .text("share_target", fmt::format("{:08x}", header.share_target.bits))
      .number("share_count", header.share_count);
  // The genesis block has no work to speak of.
  if (chain::expand(header.share_target)) out.text("work", chain::block_work(header).to_decimal());
  out.key("shares").open_array();
  for (const chain::Nonce& nonce : sealed.seal.shares) append_share(out, nonce);
  out.close_array();
}

void append_annex_item(JsonText& out, const chain::AnnexItem& item) {
  if (const auto* order = std::get_if<chain::MemberOrder>(&item)) {
    append_order(out, *order);
    return;
  }
  const auto& rejection = std::get<chain::Rejection>(item);
  out.open_object()
      .text("kind", "rejection")
      .text("key", to_hex(rejection.key))
      .text("commitment", to_hex(rejection.commitment))
      .text("reason", name_of(rejection.reason))
      .number("version", rejection.stream_version.value)
      .close_object();
}

void append_certificate(JsonText& out, const Context& context, const chain::SealedHeader& sealed) {
  const chain::Height height = sealed.header.height;
  out.boolean("final", height.value == 0 || height <= context.port.certified())
      .key("signatures")
      .open_array();
  for (const MemberSignature& one : sound_signatures(context.reader, sealed))
    out.open_object()
        .text("node", to_hex(one.member.node))
        .text("signature", to_hex(one.signature))
        .close_object();
  out.close_array();
}

void answer_tips(const CallPtr& call, const NodeStatus& status) {
  const store::TipInfo tip = call->context->reader.tip();
  JsonText document;
  document.open_object().key("canonical").open_object();
  append_sealed(document, tip.sealed);
  document.text("total_work", tip.total_work.to_decimal()).close_object();
  document.key("stale").open_array();
  for (const store::StaleBlock& stale : call->context->reader.stale()) {
    document.open_object().text("reason", stale.reason);
    append_sealed(document, stale.sealed);
    document.close_object();
  }
  document.close_array();
  if (status.working_on)
    document.key("in_work")
        .open_object()
        .big("height", status.working_on->value)
        .number("shares_found", status.shares_found)
        .number("shares_needed", status.shares_needed)
        .close_object();
  document.close_object();
  call->answer_json(200, std::move(document));
}

}  // namespace

void get_block(const CallPtr& call) {
  const auto height = parse_number(call->path[0]);
  if (!height) return call->answer(Problem::kMalformedRequest, "a height is a decimal number");
  const auto stored = call->context->reader.block(chain::Height{*height});
  if (!stored) return call->answer(problem_response(stored.error()));
  const chain::BlockContent& content = stored->block.content;
  JsonText document;
  document.reserve(1024 + 128 * (content.entries.size() + content.annex.size()));
  document.open_object();
  append_sealed(document, stored->block.sealed);
  append_certificate(document, *call->context, stored->block.sealed);
  document.big("first_position", stored->first_position).key("entries").open_array();
  for (const chain::EntryRef& entry : content.entries)
    document.open_object()
        .text("key", to_hex(entry.key))
        .text("commitment", to_hex(entry.commitment))
        .close_object();
  document.close_array().key("annex").open_array();
  for (const chain::AnnexItem& item : content.annex) append_annex_item(document, item);
  document.close_array().close_object();
  call->answer_json(200, std::move(document));
}

void get_headers(const CallPtr& call) {
  const auto range = parse_range(*call, kHeadersDefault, kHeadersMax);
  if (!range) return call->answer(Problem::kMalformedRequest, range.error().message);
  const auto headers = call->context->reader.headers(chain::Height{range->from}, range->limit);
  if (!headers) return call->answer(problem_response(headers.error()));
  JsonText document;
  document.open_object().key("headers").open_array();
  for (const chain::SealedHeader& sealed : *headers) {
    document.open_object();
    append_sealed(document, sealed);
    document.close_object();
  }
  document.close_array().big("next", range->from + headers->size()).close_object();
  call->answer_json(200, std::move(document));
}

void get_tips(const CallPtr& call) {
  call->context->port.ask_status([call](const NodeStatus& status) {
    call->later([call, status] { answer_tips(call, status); });
  });
}

void get_members(const CallPtr& call) {
  const auto set = call->context->reader.members(call->context->reader.tip().height.next());
  if (!set) return call->answer(problem_response(set.error()));
  JsonText document;
  document.open_object()
      .text("chain", to_hex(chain::chain_id(call->context->options.genesis)))
      .text("member_set", to_hex(chain::member_set_hash(**set)))
      .big("voters_since", (*set)->voters_since.value)
      .number("feature_level", (*set)->feature_level);
  append_policy(document.key("policy"), (*set)->policy);
  document.key("members").open_array();
  for (const chain::Member& member : (*set)->members) append_member(document, member);
  document.close_array().key("invitations").open_array();
  for (const chain::Invitation& invitation : (*set)->invitations)
    append_invitation(document, invitation);
  document.close_array().close_object();
  call->answer_json(200, std::move(document));
}

void get_genesis(const CallPtr& call) {
  net::http::Response response;
  response.content_type = "application/json";
  response.body = format_genesis(call->context->options.genesis);
  call->answer(std::move(response));
}

}  // namespace eventchain::node::api
