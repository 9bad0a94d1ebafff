#include "chain/evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "chain/genesis.h"
#include "chain/receipt_summary.h"

namespace eventchain::chain {

namespace {

class Verification {
 public:
  Verification(const Evidence& evidence, const Genesis& genesis, const ShareDigest* digest)
      : evidence_(evidence), genesis_(genesis), digest_(digest) {
    history_ = {{Height{0}, std::make_shared<const MemberSet>(first_members(genesis))}};
  }

  EvidenceReport run() {
    if (check("first", evidence_.first, first_) && check("second", evidence_.second, second_) &&
        check_contradiction())
      summarize();
    return std::move(report_);
  }

 private:
  bool note(std::string name, StepState state, std::string text) {
    report_.steps.push_back({std::move(name), state, std::move(text)});
    return state != StepState::kFailed;
  }

  bool check(const std::string& place, const EvidencePart& part, std::vector<Member>& signers) {
    if (const auto* receipt = std::get_if<Receipt>(&part))
      return check_receipt(place, *receipt, signers);
    return check_checkpoint(place, std::get<KnownLog>(part), signers);
  }

  bool check_receipt(const std::string& place, const Receipt& receipt,
                     std::vector<Member>& signers) {
    ReceiptReport report = verify_receipt(receipt, {genesis_, digest_, std::nullopt});
    for (ReceiptStep& step : report.steps)
      note(place + "." + step.name, step.state, std::move(step.text));
    if (!report.is_proved()) return false;
    for (const SlotSignature& one : receipt.certificate)
      if (const Member* member = member_at(*report.signers.back().set, one.slot))
        signers.push_back(*member);
    has_steps_ = has_steps_ || !receipt.voters.empty();
    history_ = std::move(report.signers);
    return true;
  }

  bool check_checkpoint(const std::string& place, const KnownLog& known,
                        std::vector<Member>& signers) {
    const std::string origin = log_origin(chain_id(genesis_));
    if (!note(place + ".origin", known.origin == origin ? StepState::kPassed : StepState::kFailed,
              known.origin == origin
                  ? "the checkpoint is of this chain's log"
                  : fmt::format("the checkpoint is of another log than '{}'", origin)))
      return false;
    auto found = known_signers(known, history_);
    const std::string step = place + ".signatures";
    if (!found)
      return note(step, StepState::kFailed,
                  "it bears no signatures of a majority of voters that are known here, or one that "
                  "does not hold");
    signers = std::move(found->voters);
    superseded_ = found->superseded;
    if (!superseded_)
      return note(step, StepState::kPassed,
                  fmt::format("{} signed the checkpoint", listed(names_of(signers))));
    return note(step, StepState::kPassed,
                fmt::format("{} signed the checkpoint, as voters of an older set: {}",
                            listed(names_of(signers)), term_of(*superseded_)));
  }

  bool check_contradiction() {
    for (const HistoryPoint& one : points_of(evidence_.first))
      for (const HistoryPoint& other : points_of(evidence_.second))
        if (const auto kind = contradiction(one, other)) {
          report_.facts = EvidenceFacts{*kind, one, other, {}, {}, {}, superseded_};
          return note("contradiction", StepState::kPassed, describe(*kind, one, other));
        }
    return note("contradiction", StepState::kFailed,
                "both hold, and both may be of one history: this is evidence of nothing");
  }

  static std::vector<std::string> names_of(const std::vector<Member>& members) {
    std::vector<std::string> names;
    for (const Member& member : members) names.push_back(member.name);
    return names;
  }

  static std::string term_of(const SupersededVoters& voters) {
    return fmt::format("it was in force from block {} on, and block {} superseded it",
                       voters.since.value, voters.until.value);
  }

  void summarize() {
    EvidenceFacts& facts = *report_.facts;
    facts.first_signers = names_of(first_);
    facts.second_signers = names_of(second_);
    // By keys: ids and names of whoever came after genesis are what the history that shows them
    // says.
    std::vector<std::string> same_keys;
    std::vector<std::string> other_keys;
    for (const Member& member : first_) {
      if (std::ranges::find(second_, member.signing_key, &Member::signing_key) != second_.end()) {
        facts.both.push_back(member.name);
        same_keys.push_back(fmt::format("{} ({})", member.name, to_hex(member.signing_key)));
      } else if (std::ranges::find(second_, member.node, &Member::node) != second_.end()) {
        other_keys.push_back(member.name);
      }
    }
    const auto prove = [this](std::string text) { report_.proved.push_back(std::move(text)); };
    prove(fmt::format("What: two histories of the chain '{}' were signed, and {}.", genesis_.name,
                      describe(facts.kind, facts.first, facts.second)));
    prove(fmt::format("By whom: {} signed the first, {} the second.", listed(facts.first_signers),
                      listed(facts.second_signers)));
    if (superseded_)
      prove(
          fmt::format("The second is signed by a majority of an older set of voters: {}. By the "
                      "first, these were not the voters any more.",
                      term_of(*superseded_)));
    if (!same_keys.empty())
      prove(fmt::format("The same keys signed both, which no sound node does: {}.",
                        listed(same_keys)));
    const auto add = [this](std::string text) { report_.not_proved.push_back(std::move(text)); };
    add("Which of the two is the true history, or was there first.");
    add("Why: voters may have lied, their keys may have been stolen, or a node was put back to an "
        "old copy of its disk.");
    add("Where the two part: at the place that is named here, or below it.");
    if (has_steps_)
      add("That no half of the voters lied together at a change of voters while their number was "
          "even: a half can sign such a change.");
    if (superseded_)
      add("That those who signed the second were voters when they signed: they may have gone their "
          "own way, or keys that nobody uses any more were stolen.");
    if (same_keys.empty()) add("That anybody signed both: no key is among the signatures of both.");
    if (!other_keys.empty())
      add(fmt::format("That {} signed both: the two parts have other keys under the same name.",
                      listed(other_keys)));
    add("Who voters are that came after genesis: their names are what the history that shows them "
        "says.");
    add("That keys which were replaced, or whose voters have left, were not misused: then one of "
        "the histories is theirs.");
    add(fmt::format(
        "Anything, if the genesis file came from the wrong hands: the chain id must be {}.",
        to_hex(chain_id(genesis_))));
  }

  const Evidence& evidence_;
  const Genesis& genesis_;
  const ShareDigest* const digest_;
  SignerHistory history_;  // by the receipt that was verified last, else the genesis file
  bool has_steps_ = false;
  std::vector<Member> first_;
  std::vector<Member> second_;
  std::optional<SupersededVoters> superseded_;  // of the part that was checked last
  EvidenceReport report_;
};

}  // namespace

const ReceiptStep* EvidenceReport::failed() const {
  const auto found = std::ranges::find(steps, StepState::kFailed, &ReceiptStep::state);
  return found == steps.end() ? nullptr : &*found;
}

std::vector<HistoryPoint> points_of(const EvidencePart& part) {
  if (const auto* known = std::get_if<KnownLog>(&part)) return {point_of(*known)};
  const Receipt& receipt = std::get<Receipt>(part);
  std::vector<HistoryPoint> points{point_of(receipt.block)};
  if (receipt.newer) points.push_back(point_of(receipt.newer->sealed));
  return points;
}

std::optional<KnownSigners> known_signers(const KnownLog& known, const SignerHistory& history) {
  if (!known.head) return std::nullopt;
  const Height height = known.head->block.height;
  NoteCheck check(known.head->note);
  const auto judged = [&](const MemberSet& before, const MemberSet& after) {
    return signers_of_note(check, known.origin, before, after);
  };
  NoteSigners found = judged(signers_before(history, height), signers_after(history, height));
  if (found.are_enough()) return KnownSigners{std::move(found.voters), std::nullopt};
  for (std::size_t i = history.size(); i-- > 0;) {
    if (history[i].since >= height && history[i].since.value != 0) continue;
    found = judged(*history[i].set, *history[i].set);
    if (!found.are_enough()) continue;
    KnownSigners older{std::move(found.voters), std::nullopt};
    if (i + 1 < history.size() && history[i + 1].since < height)
      older.superseded = SupersededVoters{history[i].since, history[i + 1].since};
    return older;
  }
  return std::nullopt;
}

EvidenceReport verify_evidence(const Evidence& evidence, const Genesis& genesis,
                               const ShareDigest* digest) {
  return Verification(evidence, genesis, digest).run();
}

}  // namespace eventchain::chain
