#include "node/api/receipt_json.h"

#include <fmt/format.h>

#include "chain/base64.h"
#include "node/api/json_text.h"
#include "node/api/outcome_json.h"

namespace eventchain::node::api {

namespace {

// As a string, as all integers are that have 64 bits.
JsonText& append_signed(JsonText& out, std::string_view name, std::int64_t value) {
  return out.text(name, std::to_string(value));
}

void append_hashes(JsonText& out, std::string_view name, const std::vector<chain::Hash>& hashes) {
  out.key(name).open_array();
  for (const chain::Hash& hash : hashes) out.text(to_hex(hash));
  out.close_array();
}

void append_block(JsonText& out, const chain::SealedHeader& sealed) {
  const chain::TemplateHeader& header = sealed.header;
  out.key("block")
      .open_object()
      .big("height", header.height.value)
      .text("parent", to_hex(header.parent))
      .big("log_size", header.log_size)
      .text("log_root", to_hex(header.log_root))
      .text("history_root", to_hex(header.history_root))
      .text("annex_root", to_hex(header.annex_root));
  append_signed(out, "started_ms", header.started.value);
  append_signed(out, "time_ms", header.time.value);
  out.text("share_target", fmt::format("{:08x}", header.share_target.bits))
      .number("share_count", header.share_count)
      .text("member_set", to_hex(header.member_set));
  append_signed(out, "sealed_at_ms", sealed.seal.sealed_at.value);
  out.key("shares").open_array();
  for (const chain::Nonce& share : sealed.seal.shares)
    out.text(fmt::format("{:016x}{:08x}", share.high, share.low));
  out.close_array().close_object();
}

void append_certificate(JsonText& out, const chain::Certificate& certificate) {
  out.key("certificate").open_array();
  for (const chain::SlotSignature& one : certificate)
    out.open_object()
        .number("slot", one.slot.value)
        .text("signature", to_hex(one.signature))
        .close_object();
  out.close_array();
}

void append_place(JsonText& out, const chain::ReceiptEntry& entry) {
  out.key("entry")
      .open_object()
      .text("commitment", to_hex(entry.commitment))
      .big("position", entry.position.value);
  append_hashes(out, "path", entry.path);
  out.close_object();
}

void append_place(JsonText& out, const chain::ReceiptRejection& rejected) {
  const chain::Rejection& rejection = rejected.rejection;
  out.key("rejection")
      .open_object()
      .text("commitment", to_hex(rejection.commitment))
      .text("key", to_hex(rejection.key))
      .text("reason", name_of(rejection.reason));
  append_signed(out, "stream_version", rejection.stream_version.value);
  out.key("path").open_array();
  for (const chain::AnnexSibling& sibling : rejected.path)
    out.open_object()
        .text("side", sibling.side == chain::AnnexSibling::Side::kLeft ? "left" : "right")
        .text("hash", to_hex(sibling.hash))
        .close_object();
  out.close_array().close_object();
}

void append_place(JsonText&, const chain::ReceiptBlock&) {}

void append_newer(JsonText& out, const chain::NewerBlock& newer) {
  out.key("newer").open_object();
  append_block(out, newer.sealed);
  out.key("path").open_array();
  for (const chain::HistoryNode& node : newer.path) {
    out.open_object()
        .text("hash", to_hex(node.hash))
        .text("work", node.work.to_decimal())
        .big("blocks", node.blocks);
    append_signed(out, "first_time_ms", node.first_time.value);
    append_signed(out, "last_time_ms", node.last_time.value);
    out.close_object();
  }
  out.close_array().close_object();
}

void append_voter_step(JsonText& out, const chain::VoterStep& step) {
  out.open_object();
  append_block(out, step.sealed);
  out.key("annex").open_array();
  for (const chain::AnnexItem& item : step.annex)
    out.text(chain::to_base64(chain::encode_annex_item(item)));
  out.close_array();
  append_certificate(out, step.certificate);
  out.close_object();
}

}  // namespace

chain::Result<std::string> format_receipt(const chain::Receipt& receipt) {
  EC_ASSERT(!chain::is_of_block(receipt) || !receipt.shown, "a block's receipt shows no event");
  JsonText out;
  out.open_object()
      .text("format", chain::is_of_block(receipt) ? kBlockReceiptFormat : kReceiptFormat)
      .number("version", 1)
      .text("chain", to_hex(receipt.chain));
  if (receipt.shown)
    out.key("event")
        .open_object()
        .text("salt", to_hex(receipt.shown->salt))
        .text("body", chain::to_base64(receipt.shown->body))
        .close_object();
  std::visit([&out](const auto& place) { append_place(out, place); }, receipt.what);
  append_block(out, receipt.block);
  if (receipt.newer) append_newer(out, *receipt.newer);
  append_certificate(out, receipt.certificate);
  out.key("voters").open_array();
  for (const chain::VoterStep& step : receipt.voters) append_voter_step(out, step);
  out.close_array().key("member_sets").open_array();
  for (const chain::MembersRef& set : receipt.member_sets)
    out.text(chain::to_base64(chain::encode_member_set(*set)));
  out.close_array();
  if (receipt.consistency) {
    out.key("consistency").open_object().big("size", receipt.consistency->size);
    append_hashes(out, "path", receipt.consistency->path);
    out.close_object();
  }
  out.close_object();
  if (out.size() > kReceiptBytesMax)
    return chain::fail(chain::ErrorCode::kTooLarge,
                       fmt::format("the receipt has {} octets, more than the {} that are read; the "
                                   "voters changed too often for one file",
                                   out.size(), kReceiptBytesMax));
  return out.take();
}

}  // namespace eventchain::node::api
