#include "tools/eventchain/consistency.h"

#include <fmt/format.h>

#include <algorithm>

#include "chain/certificate.h"
#include "node/api/receipt_json.h"

namespace eventchain::tools {

namespace {

using chain::EvidencePart;
using chain::HistoryPoint;
using chain::KnownLog;
using chain::Receipt;
using Verdict = ConsistencyVerdict;

// The newest thing that is said.
HistoryPoint top_of(const EvidencePart& part) {
  return chain::points_of(part).back();
}

std::string where(const HistoryPoint& point) {
  return point.block ? fmt::format("block {}", point.block->height.value)
                     : fmt::format("a log of {} entries", point.log_size);
}

bool is_lower(const HistoryPoint& a, const HistoryPoint& b) {
  return a.block && b.block ? a.block->height < b.block->height : a.log_size < b.log_size;
}

std::optional<chain::Contradiction> contradiction_of(const EvidencePart& a, const EvidencePart& b) {
  for (const HistoryPoint& one : chain::points_of(a))
    for (const HistoryPoint& other : chain::points_of(b))
      if (const auto kind = chain::contradiction(one, other)) return kind;
  return std::nullopt;
}

class Check {
 public:
  Check(const chain::Genesis& genesis, const chain::ShareDigest* digest)
      : genesis_(genesis), digest_(digest) {}

  Verdict run(ConsistencySide& a, ConsistencySide& b, ConsistencySide* asked) {
    if (auto verdict = prepare(a)) return *verdict;
    if (auto verdict = prepare(b)) return *verdict;
    const bool is_a_lower = is_lower(top_of(*a.item), top_of(*b.item));
    ConsistencySide& lower = is_a_lower ? a : b;
    ConsistencySide& upper = is_a_lower ? b : a;
    std::optional<Verdict> best = compare(lower, upper);
    // The one who has come further has the other's newest block too.
    for (auto [one, other] : {std::pair{&lower, &upper}, std::pair{&upper, &lower}})
      if (!is_settled(best) && other->source != nullptr) keep(best, ask(*one, *other));
    if (!is_settled(best) && asked != nullptr) keep(best, ask_about_both(lower, upper, *asked));
    if (best && best->agreement != Agreement::kUnknown) return *best;
    if (notes_.empty())
      notes_.push_back(
          fmt::format("{} speaks of {}, {} of {}, and neither leads to the other: name a member "
                      "with --endpoint, who has both",
                      a.name, where(top_of(*a.item)), b.name, where(top_of(*b.item))));
    return {Agreement::kUnknown, notes_};
  }

 private:
  static bool is_settled(const std::optional<Verdict>& verdict) {
    return verdict && verdict->agreement != Agreement::kUnknown &&
           verdict->agreement != Agreement::kContradiction;
  }
  // A contradiction stays one unless a member has what makes evidence of it.
  static void keep(std::optional<Verdict>& best, std::optional<Verdict> next) {
    if (next && (!best || next->agreement == Agreement::kTwoHistories)) best = std::move(next);
  }

  Verdict unverified(const std::string& name, const std::string& why) const {
    return {
        Agreement::kUnverified,
        {fmt::format("{} says what does not verify, and is evidence of nothing: {}", name, why)}};
  }

  // Verifies what was given, or fetches it. A verdict ends the check.
  std::optional<Verdict> prepare(ConsistencySide& side) {
    if (side.item) {
      if (const auto* known = std::get_if<KnownLog>(&*side.item)) {
        const std::string origin = chain::log_origin(chain::chain_id(genesis_));
        if (known->origin == origin) return std::nullopt;
        return unverified(side.name, "the checkpoint is of another log than " + origin);
      }
      return judge(side.name, std::get<Receipt>(*side.item));
    }
    const SourceAnswer answer = side.source->newest({});
    if (answer.state == SourceAnswer::State::kCheckpoint) {
      auto known = chain::parse_checkpoint(answer.text);
      if (!known) return unverified(side.name, known.error().message);
      side.item = std::move(*known);
      return prepare(side);
    }
    if (answer.state != SourceAnswer::State::kReceipt)
      return Verdict{Agreement::kUnknown, {fmt::format("{}: {}", side.name, answer.text)}};
    auto receipt = node::api::parse_receipt(answer.text);
    if (!receipt) return unverified(side.name, receipt.error().message);
    side.item = std::move(*receipt);
    return prepare(side);
  }

  std::optional<Verdict> judge(const std::string& name, const Receipt& receipt) const {
    const auto report = chain::verify_receipt(receipt, {genesis_, digest_, std::nullopt});
    if (const chain::ReceiptStep* failed = report.failed())
      return unverified(name, fmt::format("step {}: {}", failed->name, failed->text));
    return std::nullopt;
  }

  // By what the two say themselves. nullopt: they leave it open.
  std::optional<Verdict> compare(const ConsistencySide& lower, const ConsistencySide& upper) {
    if (contradiction_of(*lower.item, *upper.item))
      return conflict(lower, *lower.item, upper, *upper.item);
    const HistoryPoint top = top_of(*lower.item);
    for (const HistoryPoint& point : chain::points_of(*upper.item)) {
      const bool is_same = top.block && point.block
                               ? top.block == point.block
                               : top.log_size == point.log_size && top.log_root == point.log_root;
      if (is_same)
        return Verdict{Agreement::kConsistent,
                       {fmt::format("{} and {} tell the same of {}, with which {} ends", lower.name,
                                    upper.name, where(top), lower.name)}};
    }
    for (auto [one, other] : {std::pair{&lower, &upper}, std::pair{&upper, &lower}})
      if (auto verdict = compare_logs(*one, *other)) return verdict;
    return std::nullopt;
  }

  // A checkpoint's log by a path in a receipt.
  std::optional<Verdict> compare_logs(const ConsistencySide& one, const ConsistencySide& other) {
    const auto* known = std::get_if<KnownLog>(&*one.item);
    const auto* receipt = std::get_if<Receipt>(&*other.item);
    if (known == nullptr || receipt == nullptr || !receipt->consistency) return std::nullopt;
    return by_path(one.name, *known, other.name, *receipt);
  }

  std::optional<Verdict> by_path(const std::string& name, const KnownLog& known,
                                 const std::string& by, const Receipt& receipt) {
    // Who signed it is another question.
    KnownLog log = known;
    log.head.reset();
    const auto report = chain::verify_receipt(receipt, {genesis_, digest_, log});
    const chain::ReceiptStep* step = report.find("checkpoint");
    if (step == nullptr || step->state == chain::StepState::kNotChecked) return std::nullopt;
    if (step->state == chain::StepState::kPassed)
      return Verdict{Agreement::kConsistent,
                     {fmt::format("the logs of {} ({} entries) and of {} are one: {}", name,
                                  known.size, by, step->text)}};
    return Verdict{
        Agreement::kContradiction,
        {fmt::format("{} does not lead to {}: {}", by, name, step->text),
         "that is no evidence for others: a checkpoint of a log alone, or a wrong path"}};
  }

  Verdict conflict(const ConsistencySide& a, const EvidencePart& one, const ConsistencySide& b,
                   const EvidencePart& other) {
    const bool is_swapped =
        std::holds_alternative<KnownLog>(one) && std::holds_alternative<Receipt>(other);
    chain::Evidence evidence{is_swapped ? other : one, is_swapped ? one : other};
    const auto report = chain::verify_evidence(evidence, genesis_, digest_);
    const std::string both = fmt::format("{} and {}", a.name, b.name);
    if (report.is_proved()) {
      Verdict verdict{
          Agreement::kTwoHistories, {both + " are of two histories"}, std::move(evidence)};
      verdict.said.insert(verdict.said.end(), report.proved.begin(), report.proved.end());
      return verdict;
    }
    return {Agreement::kContradiction,
            {fmt::format("{} contradict each other ({})", both,
                         chain::to_string(*contradiction_of(one, other))),
             fmt::format("that is no evidence for others: step {}: {}", report.failed()->name,
                         report.failed()->text)}};
  }

  // Whether `member` has what `side` says. nullopt: he does not tell; notes_ say why.
  std::optional<Verdict> ask(const ConsistencySide& side, const ConsistencySide& member) {
    const auto points = chain::points_of(*side.item);
    if (!points.back().block) return ask_for_log(side, member);
    for (auto point = points.rbegin(); point != points.rend(); ++point) {
      const chain::Height height = point->block->height;
      const SourceAnswer answer = member.source->receipt(height, {});
      if (answer.state == SourceAnswer::State::kReceipt) {
        const auto receipt = node::api::parse_receipt(answer.text);
        if (!receipt) return unverified(member.name, receipt.error().message);
        if (auto verdict = judge(member.name, *receipt)) return verdict;
        if (receipt->block.header.height != height)
          return unverified(member.name,
                            fmt::format("asked for block {}, it tells of block {}", height.value,
                                        receipt->block.header.height.value));
        if (contradiction_of(*side.item, *receipt))
          return conflict(side, *side.item, member, *receipt);
        if (point == points.rbegin())
          return Verdict{Agreement::kConsistent,
                         {fmt::format("{} has the same block {}, with which {} ends", member.name,
                                      height.value, side.name)}};
        notes_.push_back(fmt::format("{} has the same block {}, but not yet all of what {} tells",
                                     member.name, height.value, side.name));
        return std::nullopt;
      }
      notes_.push_back(
          fmt::format("{} shows no block {}: {}", member.name, height.value, answer.text));
      if (answer.state != SourceAnswer::State::kNotYet) return std::nullopt;
    }
    return std::nullopt;
  }

  std::optional<Verdict> ask_for_log(const ConsistencySide& side, const ConsistencySide& member) {
    const KnownLog& known = std::get<KnownLog>(*side.item);
    store::ReceiptShape shape;
    shape.log_size = known.size;
    const SourceAnswer answer = member.source->newest(shape);
    if (answer.state != SourceAnswer::State::kReceipt) {
      notes_.push_back(fmt::format(
          "{} does not lead to the log of {}: {}", member.name, side.name,
          answer.state == SourceAnswer::State::kCheckpoint ? "it is a light member" : answer.text));
      return std::nullopt;
    }
    const auto receipt = node::api::parse_receipt(answer.text);
    if (!receipt) return unverified(member.name, receipt.error().message);
    if (auto verdict = judge(member.name, *receipt)) return verdict;
    if (auto verdict = by_path(side.name, known, member.name, *receipt)) return verdict;
    return unverified(member.name,
                      "its receipt has no path to a log of the size that was asked for");
  }

  std::optional<Verdict> ask_about_both(const ConsistencySide& a, const ConsistencySide& b,
                                        const ConsistencySide& asked) {
    const auto first = ask(a, asked);
    if (first && first->agreement != Agreement::kConsistent) return first;
    const auto second = ask(b, asked);
    if (second && second->agreement != Agreement::kConsistent) return second;
    if (!first || !second) return std::nullopt;
    return Verdict{Agreement::kConsistent, {first->said.front(), second->said.front()}};
  }

  const chain::Genesis& genesis_;
  const chain::ShareDigest* const digest_;
  std::vector<std::string> notes_;  // why it cannot be told
};

}  // namespace

const char* to_string(Agreement agreement) {
  switch (agreement) {
    case Agreement::kConsistent:
      return "consistent";
    case Agreement::kTwoHistories:
      return "two-histories";
    case Agreement::kContradiction:
      return "contradiction";
    case Agreement::kUnverified:
      return "unverified";
    case Agreement::kUnknown:
      return "unknown";
  }
  return "unknown";
}

Verdict check_consistency(const chain::Genesis& genesis, const chain::ShareDigest* digest,
                          ConsistencySide a, ConsistencySide b, ConsistencySide* asked) {
  return Check(genesis, digest).run(a, b, asked);
}

}  // namespace eventchain::tools
