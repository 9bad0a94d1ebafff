#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "chain/hash.h"
#include "chain/keys.h"
#include "chain/log_tree.h"
#include "chain/receipt.h"
#include "chain/receipt_checkpoint.h"
#include "chain/receipt_summary.h"
#include "chain/seal_check.h"
#include "chain/text.h"

namespace eventchain::chain {

namespace {

// Goes through the steps of RECEIPTS.md, from the event outwards to the genesis file. Each adds one
// line to the report and tells whether to go on.
class Verification {
 public:
  Verification(const Receipt& receipt, const ReceiptTrust& trust)
      : receipt_(receipt),
        trust_(trust),
        chain_(chain_id(trust.genesis)),
        header_(receipt.block.header),
        id_(block_id(receipt.block)),
        digest_(trust.digest != nullptr ? trust.digest
                                        : plain_digest(trust.genesis.work_function)) {}

  ReceiptReport run() {
    const bool is_good = check_chain() && check_member_sets() && check_event() && check_seal() &&
                         check_work() && check_history() && check_voters() && check_certificate() &&
                         check_checkpoint();
    if (is_good) {
      report_.facts = std::move(facts_);
      summarize(receipt_, trust_, report_);
    }
    return std::move(report_);
  }

 private:
  bool note(std::string name, StepState state, std::string text) {
    report_.steps.push_back({std::move(name), state, std::move(text)});
    return state != StepState::kFailed;
  }
  bool passed(std::string name, std::string text) {
    return note(std::move(name), StepState::kPassed, std::move(text));
  }
  bool failed(std::string name, std::string text) {
    return note(std::move(name), StepState::kFailed, std::move(text));
  }
  bool not_checked(std::string name, std::string text) {
    return note(std::move(name), StepState::kNotChecked, std::move(text));
  }

  [[nodiscard]] std::vector<const SealedHeader*> headers() const {
    std::vector<const SealedHeader*> all{&receipt_.block};
    if (receipt_.newer) all.push_back(&receipt_.newer->sealed);
    for (const VoterStep& step : receipt_.voters) all.push_back(&step.sealed);
    return all;
  }
  // Pre: check_member_sets() passed.
  [[nodiscard]] const MembersRef& members_at(const TemplateHeader& header) const {
    return sets_.at(header.member_set);
  }

  bool check_chain();
  bool check_member_sets();
  bool check_event();
  bool check_body();
  bool check_place();
  bool check_entry(const ReceiptEntry& entry);
  bool check_rejection(const ReceiptRejection& rejected);
  bool check_seal();
  bool check_work();
  bool check_history();
  bool check_voters();
  bool check_voter_step(const VoterStep& step);
  bool check_certificate();
  bool check_checkpoint();
  [[nodiscard]] std::string fault_of(const Certificate& certificate, const MemberSet& before,
                                     const MemberSet& after, const SealedHeader& sealed) const;

  const Receipt& receipt_;
  const ReceiptTrust& trust_;
  const ChainId chain_;
  const TemplateHeader& header_;  // of the receipt's block
  const BlockId id_;
  const ShareDigest* const digest_;
  std::map<Hash, MembersRef> sets_;
  ReceiptFacts facts_;
  ReceiptReport report_;
};

// Who votes in one of the sets and not in the other.
std::size_t differing_voters(const MemberSet& a, const MemberSet& b) {
  std::set<NodeId> differing;
  for (const MemberSet* set : {&a, &b})
    for (const Member& member : set->members)
      if (member.role == MemberRole::kVoter && !differing.insert(member.node).second)
        differing.erase(member.node);
  return differing.size();
}

std::vector<std::string> names_of(const Certificate& certificate, const MemberSet& set) {
  std::vector<std::string> names;
  for (const SlotSignature& one : certificate)
    if (const Member* member = member_at(set, one.slot)) names.push_back(member->name);
  return names;
}

bool Verification::check_chain() {
  const std::string step = "chain";
  if (receipt_.chain != chain_)
    return failed(step, fmt::format("the receipt is of the chain {}, the genesis file makes {}",
                                    to_hex(receipt_.chain), to_hex(chain_)));
  for (const SealedHeader* sealed : headers())
    if (sealed->header.chain != chain_)
      return failed(step, fmt::format("the header of block {} is of another chain, {}",
                                      sealed->header.height.value, to_hex(sealed->header.chain)));
  return passed(step,
                fmt::format("the receipt is of the chain '{}' that the genesis file makes, {}",
                            trust_.genesis.name, to_hex(chain_)));
}

bool Verification::check_member_sets() {
  const std::string step = "member-sets";
  std::set<Hash> named;
  for (const SealedHeader* sealed : headers()) named.insert(sealed->header.member_set);
  for (const MembersRef& set : receipt_.member_sets) {
    const Hash hash = member_set_hash(*set);
    if (!named.contains(hash))
      return failed(step,
                    fmt::format("no header names the member set with the hash {}", to_hex(hash)));
    if (!sets_.emplace(hash, set).second)
      return failed(step, fmt::format("the member set {} is there twice", to_hex(hash)));
    // Only the voters of a set are told by those who signed before: the others may be anybody's
    // invention, and must not be mistaken for a voter in any way.
    if (const auto checked = check_member_set(*set); !checked)
      return failed(step, fmt::format("the member set {} is none: {}", to_hex(hash),
                                      checked.error().message));
    for (const Member& member : set->members)
      if (const auto checked = check_public_key(member.signing_key);
          member.role == MemberRole::kVoter && !checked)
        return failed(step, fmt::format("in the member set {}, of {}: {}", to_hex(hash),
                                        member.name, checked.error().message));
  }
  for (const SealedHeader* sealed : headers())
    if (!sets_.contains(sealed->header.member_set))
      return failed(step, fmt::format("the member set that the header of block {} names is missing",
                                      sealed->header.height.value));
  return passed(step, "every member set that a header names is there, and no other");
}

bool Verification::check_event() {
  if (!is_of_block(receipt_)) return check_body() && check_place();
  return !receipt_.shown || failed("body", "the receipt is of a block, and shows an event");
}

bool Verification::check_body() {
  const std::string step = "body";
  if (!receipt_.shown)
    return not_checked(step,
                       "the receipt has no body: it tells where the commitment stands, and "
                       "nothing of what the event says");
  const auto facts =
      derive_facts(receipt_.shown->salt, receipt_.shown->body, event_limits(trust_.genesis));
  if (!facts) return failed(step, "the body is no event of this chain: " + facts.error().message);
  facts_.event = facts->key;
  if (facts->commitment != commitment_of(receipt_))
    return failed(step, fmt::format("salt and body hash to the commitment {}, the receipt has {}",
                                    to_hex(facts->commitment), to_hex(commitment_of(receipt_))));
  const auto* rejected = std::get_if<ReceiptRejection>(&receipt_.what);
  if (rejected != nullptr && rejected->rejection.key != facts->key)
    return failed(step, fmt::format("the event's key is {}, the rejection is of {}",
                                    to_hex(facts->key), to_hex(rejected->rejection.key)));
  return passed(step, fmt::format("salt and body hash to the commitment {}; the event's key is {}",
                                  to_hex(facts->commitment), to_hex(facts->key)));
}

bool Verification::check_place() {
  facts_.commitment = commitment_of(receipt_);
  if (const auto* entry = std::get_if<ReceiptEntry>(&receipt_.what)) return check_entry(*entry);
  return check_rejection(std::get<ReceiptRejection>(receipt_.what));
}

bool Verification::check_entry(const ReceiptEntry& entry) {
  facts_.position = entry.position;
  if (!verify_inclusion(entry.position.value, header_.log_size, log_leaf(entry.commitment),
                        entry.path, header_.log_root))
    return failed("entry",
                  fmt::format("the path does not lead from the commitment at position {} "
                              "to the root of the {} entries as of block {}",
                              entry.position.value, header_.log_size, header_.height.value));
  return passed("entry", fmt::format("the commitment stands at position {} of the {} entries as of "
                                     "block {}",
                                     entry.position.value, header_.log_size, header_.height.value));
}

bool Verification::check_rejection(const ReceiptRejection& rejected) {
  facts_.event = rejected.rejection.key;
  if (climb_annex(rejected.rejection, rejected.path) != header_.annex_root)
    return failed("rejection", fmt::format("the path does not lead from the rejection to the annex "
                                           "root of block {}",
                                           header_.height.value));
  return passed("rejection",
                fmt::format("the annex of block {} has the rejection", header_.height.value));
}

bool Verification::check_seal() {
  const std::string step = "seal";
  const Seal& seal = receipt_.block.seal;
  const std::string block = fmt::format("block {}", header_.height.value);
  if (std::string fault = seal_fault(trust_.genesis, receipt_.block); !fault.empty())
    return failed(step, std::move(fault));
  std::set<std::string> finders;
  for (const Nonce& share : seal.shares) {
    const Member* member = member_at(*members_at(header_), share.slot());
    if (member == nullptr)
      return failed(step, fmt::format("a share of {} has slot {}, which is no member's", block,
                                      share.slot().value));
    finders.insert(member->name);
  }
  facts_.block = header_.height;
  facts_.block_id = id_;
  facts_.sealed_at = seal.sealed_at;
  facts_.work = block_work(header_);
  return passed(
      step, fmt::format("{} is {}; its {} shares were found by {}, and it was sealed at {}", block,
                        to_hex(id_), seal.shares.size(), listed({finders.begin(), finders.end()}),
                        rfc3339(seal.sealed_at)));
}

bool Verification::check_work() {
  const std::string step = "work";
  const WorkFunction function = trust_.genesis.work_function;
  if (digest_ == nullptr)
    return not_checked(
        step, fmt::format("the shares' hashes by {} were not computed here", to_string(function)));
  EC_ASSERT(digest_->function() == function, "shares of one chain have one digest");
  if (function == WorkFunction::kNone)
    return passed(step, "the chain has no work, and any share will do");
  if (std::string fault = work_fault(*digest_, receipt_.block); !fault.empty())
    return failed(step, std::move(fault));
  return passed(step, fmt::format("all shares meet the target: about {} hashes by {}",
                                  block_work(header_).to_decimal(), to_string(function)));
}

bool Verification::check_history() {
  if (!receipt_.newer) return true;
  const std::string step = "history";
  const TemplateHeader& newer = receipt_.newer->sealed.header;
  const HistoryNode leaf =
      history_leaf(id_, block_work(header_), header_.time, receipt_.block.seal.sealed_at);
  const auto climb = climb_history(header_.height, newer.height.value, leaf, receipt_.newer->path);
  if (!climb || climb->top.blocks != newer.height.value ||
      history_root(climb->top) != newer.history_root)
    return failed(step,
                  fmt::format("the path does not lead from block {} to the history below block "
                              "{}",
                              header_.height.value, newer.height.value));
  facts_.work_since = saturating_add(climb->work_from_leaf, block_work(newer));
  return passed(step, fmt::format("block {} lies below block {}, which has the certificate",
                                  header_.height.value, newer.height.value));
}

// What is wrong with it; empty if it is a certificate. Every signature must hold, although fewer
// would do: a receipt has no signature in it that does not matter.
std::string Verification::fault_of(const Certificate& certificate, const MemberSet& before,
                                   const MemberSet& after, const SealedHeader& sealed) const {
  const auto is_not_ascending = [](const SlotSignature& a, const SlotSignature& b) {
    return a.slot >= b.slot;
  };
  if (std::ranges::adjacent_find(certificate, is_not_ascending) != certificate.end())
    return "its signatures are not by slot";
  Ed25519Checker checker;
  const Certificate sound = sound_signatures(
      checker, before, after, certified_statement(sealed.header, block_id(sealed)), certificate);
  if (sound.size() != certificate.size())
    return fmt::format("{} of its {} signatures are of no voter, or on something else",
                       certificate.size() - sound.size(), certificate.size());
  if (!is_certified(sound, before, after))
    return fmt::format("{} signed, which is no majority of the {} voters",
                       listed(names_of(sound, before)), count_voters(before));
  return {};
}

bool Verification::check_voters() {
  report_.signers = {{Height{0}, std::make_shared<const MemberSet>(first_members(trust_.genesis))}};
  return std::ranges::all_of(receipt_.voters,
                             [&](const VoterStep& step) { return check_voter_step(step); });
}

bool Verification::check_voter_step(const VoterStep& step) {
  SignersSince& known = report_.signers.back();
  const TemplateHeader& header = step.sealed.header;
  const std::string name = fmt::format("voters-{}", header.height.value);
  const MembersRef& before = members_at(header);
  if (header.height <= known.since || header.height >= certified_block(receipt_).header.height)
    return failed(name, "the blocks that changed the voters are not in order");
  if (!have_same_signers(*known.set, *before))
    return failed(name,
                  fmt::format("the voters at block {} are others than those known before it: a "
                              "change is missing, or made up",
                              header.height.value));
  if (annex_root(step.annex) != header.annex_root)
    return failed(name, fmt::format("the annex is not that of block {}", header.height.value));
  MembersRef after = members_after(before, header, step.annex);
  if (have_same_signers(*before, *after))
    return failed(name, fmt::format("the orders of block {} change no voter, or break a rule",
                                    header.height.value));
  if (differing_voters(*before, *after) > 1)
    return failed(name, fmt::format("the orders of block {} change more than one voter",
                                    header.height.value));
  if (const std::string fault = fault_of(step.certificate, *before, *after, step.sealed);
      !fault.empty())
    return failed(name, fmt::format("the certificate of block {}: {}", header.height.value, fault));
  // Its records are the ones that the certificate was judged by.
  known.set = before;
  report_.signers.push_back({header.height, after});
  return passed(name,
                fmt::format("{} signed the change of voters in block {}; there are {} after it",
                            listed(names_of(step.certificate, *before)), header.height.value,
                            count_voters(*after)));
}

bool Verification::check_certificate() {
  const std::string step = "certificate";
  const SealedHeader& sealed = certified_block(receipt_);
  const std::uint64_t height = sealed.header.height.value;
  const MemberSet& set = *members_at(sealed.header);
  if (!have_same_signers(*report_.signers.back().set, set))
    return failed(step, fmt::format("the voters at block {} are others than those known so far: a "
                                    "change is missing",
                                    height));
  if (const std::string fault = fault_of(receipt_.certificate, set, set, sealed); !fault.empty())
    return failed(step, fmt::format("the certificate of block {}: {}", height, fault));
  facts_.certified_block = sealed.header.height;
  facts_.signers = names_of(receipt_.certificate, set);
  facts_.voters = count_voters(set);
  return passed(step, fmt::format("{} signed block {}, {} of the {} voters", listed(facts_.signers),
                                  height, facts_.signers.size(), facts_.voters));
}

bool Verification::check_checkpoint() {
  if (!trust_.known) return true;
  ReceiptStep step = checkpoint_step(receipt_, *trust_.known, report_.signers);
  return note(std::move(step.name), step.state, std::move(step.text));
}

}  // namespace

ReceiptReport verify_receipt(const Receipt& receipt, const ReceiptTrust& trust) {
  return Verification(receipt, trust).run();
}

}  // namespace eventchain::chain
