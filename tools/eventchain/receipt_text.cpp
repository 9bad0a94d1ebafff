#include "tools/eventchain/receipt_text.h"

#include <fmt/format.h>

#include <utility>

#include "chain/text.h"
#include "node/api/receipt_json.h"
#include "tools/eventchain/verdict.h"

namespace eventchain::tools {

namespace json = boost::json;

namespace {

json::object facts_json(const chain::ReceiptFacts& facts) {
  const char* kind = facts.position ? "entry" : facts.commitment ? "rejection" : "block";
  json::object made{{"kind", kind},
                    {"block", std::to_string(facts.block.value)},
                    {"block_id", to_hex(facts.block_id)},
                    {"sealed_at", chain::rfc3339(facts.sealed_at)},
                    {"work", facts.work.to_decimal()},
                    {"certified_block", std::to_string(facts.certified_block.value)},
                    {"signers", sentences_json(facts.signers)},
                    {"voters", facts.voters}};
  if (facts.commitment) made.emplace("commitment", to_hex(*facts.commitment));
  if (facts.event) made.emplace("event_key", to_hex(*facts.event));
  if (facts.position) made.emplace("position", std::to_string(facts.position->value));
  if (facts.work_since) made.emplace("work_since", facts.work_since->to_decimal());
  return made;
}

// "n1, n3", or the slots where the receipt names no such member.
std::string signers_of(const chain::Receipt& receipt) {
  const chain::Hash& set = chain::certified_block(receipt).header.member_set;
  std::string text;
  for (const chain::SlotSignature& one : receipt.certificate) {
    const chain::Member* member = nullptr;
    for (const chain::MembersRef& known : receipt.member_sets)
      if (chain::member_set_hash(*known) == set)
        for (const chain::Member& other : known->members)
          if (other.slot == one.slot) member = &other;
    const bool is_named = member != nullptr && chain::is_member_name(member->name);
    text += (text.empty() ? "" : ", ") +
            (is_named ? member->name : fmt::format("slot {}", one.slot.value));
  }
  return text.empty() ? "nobody" : text;
}

void add_event(Claims& claims, const chain::Receipt& receipt) {
  claims.emplace_back("commitment", to_hex(chain::commitment_of(receipt)));
  if (!receipt.shown) return claims.emplace_back("event", "not shown"), void();
  // What obeys the rules of events has no characters that would garble a terminal.
  const auto facts = chain::derive_facts(receipt.shown->salt, receipt.shown->body, shown_limits());
  const auto event = facts ? chain::decode_body(receipt.shown->body)
                           : chain::Result<chain::Event>(tl::unexpected(facts.error()));
  if (!event) return claims.emplace_back("event", event.error().message), void();
  claims.emplace_back("id", event->id());
  claims.emplace_back("source", event->source());
  claims.emplace_back("type", event->type());
}

}  // namespace

chain::EventLimits shown_limits() {
  return {.body_bytes_max = node::api::kReceiptBytesMax};
}

chain::Result<Claims> claims_of(std::string_view text) {
  const auto receipt = node::api::parse_receipt(text);
  if (!receipt) return tl::unexpected<chain::Error>(receipt.error());
  Claims claims{{"chain", to_hex(receipt->chain)}};
  if (chain::is_of_block(*receipt))
    claims.emplace_back("block_id", to_hex(chain::block_id(receipt->block)));
  else
    add_event(claims, *receipt);
  if (const auto* entry = std::get_if<chain::ReceiptEntry>(&receipt->what))
    claims.emplace_back("position", std::to_string(entry->position.value));
  else if (!chain::is_of_block(*receipt))
    claims.emplace_back("position", "none: the block rejected it");
  claims.emplace_back("block", std::to_string(receipt->block.header.height.value));
  claims.emplace_back("sealed_at", chain::rfc3339(receipt->block.seal.sealed_at));
  claims.emplace_back("signed_block",
                      std::to_string(chain::certified_block(*receipt).header.height.value));
  claims.emplace_back("signed_by", signers_of(*receipt));
  claims.emplace_back("changes_of_voters", std::to_string(receipt->voters.size()));
  if (receipt->consistency)
    claims.emplace_back("leads_to_log_of", std::to_string(receipt->consistency->size));
  return claims;
}

ReceiptVerdict judge_receipt(std::string_view text, const chain::ReceiptTrust& trust) {
  ReceiptVerdict verdict;
  const auto receipt = node::api::parse_receipt(text);
  if (!receipt) {
    verdict.report.steps.push_back({"format", chain::StepState::kFailed, receipt.error().message});
    return verdict;
  }
  verdict.report = chain::verify_receipt(*receipt, trust);
  verdict.report.steps.insert(
      verdict.report.steps.begin(),
      {"format", chain::StepState::kPassed, "the file is a receipt as the format has it"});
  const chain::ReceiptStep* checkpoint = verdict.report.find("checkpoint");
  verdict.is_whole = checkpoint == nullptr || checkpoint->state != chain::StepState::kNotChecked;
  return verdict;
}

std::string verdict_text(const ReceiptVerdict& judged, bool with_steps) {
  const Verdict verdict = verdict_of_report(judged.report);
  std::string text = with_steps ? steps_text(verdict, 12) : "";
  if (verdict.failed != nullptr) return text + failure_text("NOT PROVED", *verdict.failed);
  text += "PROVED\n" + sentences_text(verdict);
  if (!judged.is_whole)
    text +=
        fmt::format("the checkpoint was NOT used: {}\n", judged.report.find("checkpoint")->text);
  return text;
}

json::object verdict_json(const ReceiptVerdict& judged) {
  json::value facts;
  if (judged.report.facts) facts = facts_json(*judged.report.facts);
  return verdict_json(verdict_of_report(judged.report), judged.report.is_proved(),
                      std::move(facts));
}

}  // namespace eventchain::tools
