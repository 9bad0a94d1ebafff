#include "chain/receipt_summary.h"

#include <fmt/format.h>

#include "chain/text.h"

// What a verified receipt means, in words for people who have never seen this program. Whatever a
// receipt cannot show is said as plainly as what it does show.
namespace eventchain::chain {

namespace {

// Whether the reader's checkpoint speaks of the event: its log reaches as far, and a rejection
// stands in no log.
bool is_covered(const Receipt& receipt, const ReceiptTrust& trust) {
  const auto* entry = std::get_if<ReceiptEntry>(&receipt.what);
  return trust.known && entry != nullptr && entry->position.value < trust.known->size;
}

bool is_passed(const ReceiptReport& report, std::string_view name) {
  const ReceiptStep* step = report.find(name);
  return step != nullptr && step->state == StepState::kPassed;
}

// "the event 'order-1' of '/shop', of type 'order.placed'"; by its commitment if it is not shown.
std::string name_of_event(const Receipt& receipt) {
  if (receipt.shown) {
    const Result<Event> event = decode_body(receipt.shown->body);
    if (event)
      return fmt::format("the event with id '{}', source '{}' and type '{}' ({} octets)",
                         event->id(), event->source(), event->type(), receipt.shown->body.size());
  }
  return fmt::format("an event that is not shown, with the commitment {}",
                     to_hex(commitment_of(receipt)));
}

std::string reason_of(const Rejection& rejection) {
  switch (rejection.reason) {
    case RejectionReason::kVersionConflict:
      return fmt::format("its stream stood at version {} already, past the one that it expected",
                         rejection.stream_version.value);
    case RejectionReason::kExpectationExpired:
      return fmt::format(
          "its stream stood at version {} and did not reach in time the one that it "
          "expected",
          rejection.stream_version.value);
    case RejectionReason::kKeyTaken:
      return "its source and id name an event with other content";
  }
  return "for an unknown reason";
}

std::string what_is_proved(const Receipt& receipt, const ReceiptTrust& trust,
                           const ReceiptFacts& facts) {
  if (is_of_block(receipt))
    return fmt::format("What: block {} of the chain '{}' is {}, with a log of {} entries.",
                       facts.block.value, trust.genesis.name, to_hex(facts.block_id),
                       receipt.block.header.log_size);
  const std::string event = name_of_event(receipt);
  if (const auto* rejection = std::get_if<ReceiptRejection>(&receipt.what))
    return fmt::format("What: block {} of the chain '{}' rejected {}: {}.", facts.block.value,
                       trust.genesis.name, event, reason_of(rejection->rejection));
  return fmt::format("What: {} stands at position {} of the log of the chain '{}', as of block {}.",
                     event, std::get<ReceiptEntry>(receipt.what).position.value, trust.genesis.name,
                     facts.block.value);
}

std::string signers_of(const Receipt& receipt, const ReceiptFacts& facts) {
  std::string text =
      fmt::format("By whom: {} signed, {} of the {} voters at block {}.", listed(facts.signers),
                  facts.signers.size(), facts.voters, facts.certified_block.value);
  if (receipt.newer)
    text += fmt::format(" Their signatures on block {} cover block {}, which lies below it.",
                        facts.certified_block.value, facts.block.value);
  if (!receipt.voters.empty())
    text += fmt::format(
        " Voters or their keys changed {} times since genesis; a majority of the voters "
        "before each change, or of those after it, signed it.",
        receipt.voters.size());
  return text;
}

std::string work_of(const ReceiptTrust& trust, const ReceiptReport& report) {
  const ReceiptFacts& facts = *report.facts;
  if (trust.genesis.work_function == WorkFunction::kNone)
    return "Work: none; this chain rests on signatures alone.";
  std::string text = fmt::format(
      "Work: block {} took about {} hashes, {}.", facts.block.value, facts.work.to_decimal(),
      is_passed(report, "work") ? "which was checked"
                                : "as its header says; the shares were not checked");
  if (facts.work_since)
    text += fmt::format(" With all blocks up to {} it is {}, as the signers say.",
                        facts.certified_block.value, facts.work_since->to_decimal());
  return text;
}

}  // namespace

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text.empty() ? "nobody" : text;
}

void summarize(const Receipt& receipt, const ReceiptTrust& trust, ReceiptReport& report) {
  const ReceiptFacts& facts = *report.facts;
  report.proved.push_back(what_is_proved(receipt, trust, facts));
  report.proved.push_back(signers_of(receipt, facts));
  report.proved.push_back(work_of(trust, report));
  report.proved.push_back(
      fmt::format("Since when: at the latest since {}, by the clock of the node "
                  "that led the cluster then.",
                  rfc3339(facts.sealed_at)));
  if (is_passed(report, "checkpoint"))
    report.proved.push_back(fmt::format(
        "History: the log of the checkpoint, with {} entries, and the log as of block {} "
        "are one history.",
        trust.known->size, facts.block.value));

  const auto add = [&report](std::string text) { report.not_proved.push_back(std::move(text)); };
  if (is_of_block(receipt))
    add("What the block's events say: the receipt shows none of them.");
  else if (!receipt.shown)
    add("What the event says: its body and salt are not in the receipt, so that only the "
        "commitment is proved.");
  if (std::holds_alternative<ReceiptEntry>(receipt.what))
    add("Which other events there are: a receipt speaks of one. It does not tell the event's "
        "version "
        "in its stream, nor that the stream has no others before or after it.");
  if (std::holds_alternative<ReceiptRejection>(receipt.what))
    add("That no other block gave the event a position: whoever has a receipt of that knows "
        "better.");
  add("The time, beyond the word of the node that led and of the voters that signed.");
  if (!is_of_block(receipt))
    add("That what the event says is true: its writer is believed for that.");
  if (!is_passed(report, "work"))
    add("The work: this program cannot compute the chain's work function here.");
  add("That target and height followed the rules of the chain: the signers are believed for that.");
  if (is_passed(report, "checkpoint") && is_covered(receipt, trust))
    add("That others than you and those who have this checkpoint are shown this history.");
  else if (is_passed(report, "checkpoint") && is_of_block(receipt))
    add("That everybody is shown this block: the checkpoint and the receipt agree on the log, and "
        "voters who lie together could sign two blocks over it.");
  else if (is_passed(report, "checkpoint"))
    add("That everybody is shown this event: the checkpoint does not reach it, and voters who lie "
        "together could sign two histories that go on from there.");
  else
    add("That everybody is shown this history: voters who lie together could sign two. A "
        "checkpoint "
        "or a receipt that somebody else holds tells.");
  add("That keys which were replaced, or whose voters have left, were never misused: who has a "
      "majority of the keys of some time can sign another history from there on.");
  if (!receipt.voters.empty())
    add("That no half of the voters lied together at a change of voters while their number was "
        "even: "
        "a half can sign such a change.");
  add(fmt::format(
      "Anything, if the genesis file came from the wrong hands: the chain id must be {}.",
      to_hex(receipt.chain)));
}

}  // namespace eventchain::chain
