#include "chain/work_summary.h"

#include <fmt/format.h>

#include "chain/receipt_summary.h"
#include "chain/text.h"

// What a verified work proof means, in words for people who have never seen this program. Whatever
// it cannot show is said as plainly as what it does show.
namespace eventchain::chain {

namespace {

std::string what_was_looked_at(const WorkFacts& facts, bool is_whole) {
  if (is_whole) return "every block";
  return fmt::format("{} of the {} blocks, drawn by their work", facts.blocks, facts.head.value);
}

std::string work_of(const WorkTrust& trust, const WorkFacts& facts) {
  const char* const function = to_string(trust.genesis.work_function);
  const bool is_whole = facts.blocks == facts.head.value;
  if (is_whole)
    return fmt::format(
        "Work: all of it was really done for this history, about {} hashes by {}; "
        "the shares of every block were looked at.",
        facts.claimed.to_decimal(), function);
  return fmt::format(
      "Work: the history claims about {} hashes by {}, and at least {} % of that were really done "
      "for it; so also of the work from any block on to the head. Of {} the shares were looked at. "
      "With less work done this proof could not have been made, but with a probability of at most "
      "1 "
      "in 2^{}; that holds even for somebody who spends as many hashes on tries as the history "
      "claims.",
      facts.claimed.to_decimal(), function, percent_of(facts.sampling.share),
      what_was_looked_at(facts, is_whole), facts.sampling.bits);
}

}  // namespace

void summarize(const WorkProof& proof, const WorkTrust& trust, WorkReport& report) {
  const WorkFacts& facts = *report.facts;
  report.proved.push_back(
      fmt::format("What: block {} of the chain '{}' is {}, sealed at {} by the clock of the node "
                  "that led then, and names the history of the {} blocks below it.",
                  facts.head.value, trust.genesis.name, to_hex(facts.head_id),
                  rfc3339(facts.sealed_at), facts.head.value));
  report.proved.push_back(fmt::format("By whom: {} signed, {} of the {} voters at block {}.",
                                      listed(facts.signers), facts.signers.size(), facts.voters,
                                      facts.head.value));
  if (report.is_proved()) report.proved.push_back(work_of(trust, facts));

  const auto add = [&report](std::string text) { report.not_proved.push_back(std::move(text)); };
  if (!report.is_proved())
    add("The work: this program did not compute the chain's work function here, so that nothing is "
        "known of it.");
  add("That this is the only history: work says what one has cost, and whoever commands as many "
      "hashes can make another. A checkpoint or a receipt that somebody else holds tells.");
  add(fmt::format(
      "That no luck was in it: a block claims the hashes that its shares take on average, and the "
      "2^-{} above is about such claims. Over many blocks luck evens out; but whoever puts half of "
      "a history's work into one hard block gets by with half the hashes for that block once in "
      "121 times where it has 16 shares, and more often where it has fewer (this chain's have {}): "
      "a target is held against the rule only where two neighbours are shown.",
      facts.sampling.bits, trust.genesis.share_count));
  add("What the work cost in time or money, and whose it was: a share may have been found by "
      "anybody, on any machine, and its slot is not held against the members of its time.");
  if (facts.blocks != facts.head.value)
    add("That every block obeys the rules, or has any work: blocks that were not drawn were not "
        "looked at, and targets are held against the rule only where two neighbours are shown.");
  add("What the blocks hold: that is what receipts are for.");
  add("The times, beyond the word of the nodes that led and of the voters that signed.");
  add(fmt::format(
      "Anything, if the genesis file came from the wrong hands: the chain id must be {}.",
      to_hex(proof.head.chain)));
}

}  // namespace eventchain::chain
