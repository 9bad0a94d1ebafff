#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "chain/receipt.h"

// Two things that voters signed and that cannot both be of one history. Whoever has the genesis
// file can verify it, and need not ask anybody. RECEIPTS.md has the format and the steps.
namespace eventchain::chain {

// A receipt of any kind, or a checkpoint with signatures.
using EvidencePart = std::variant<Receipt, KnownLog>;

struct Evidence {
  EvidencePart first;
  EvidencePart second;  // if only one is a checkpoint, then this: the first tells who may sign it
};

// Voters that a later block replaced, in part or all, before the height at which they signed.
struct SupersededVoters {
  Height since;  // they are in force after this block
  Height until;  // and up to this one
  bool operator==(const SupersededVoters&) const = default;
};

// What verified evidence says, for programs.
struct EvidenceFacts {
  Contradiction kind;
  HistoryPoint first;  // that contradict each other
  HistoryPoint second;
  // Names of those whose signatures are in each part, and of those whose key is among both. Of
  // voters that came after genesis these are the names that the part itself gives them.
  std::vector<std::string> first_signers;
  std::vector<std::string> second_signers;
  std::vector<std::string> both;
  // Who signed the second part, a checkpoint, if those were voters no more at its height by what
  // the first part proves. (The first part is never judged by such: nothing is known before it.)
  std::optional<SupersededVoters> second_superseded{};
};

struct EvidenceReport {
  // In the order of RECEIPTS.md, up to the first that failed.
  std::vector<ReceiptStep> steps;
  // Sentences for people; empty if a step failed.
  std::vector<std::string> proved;
  std::vector<std::string> not_proved;
  std::optional<EvidenceFacts> facts;

  [[nodiscard]] const ReceiptStep* failed() const;  // null: none
  [[nodiscard]] bool is_proved() const { return failed() == nullptr; }
};

// Pure. For any two parts, whoever made them. `digest`: as in ReceiptTrust.
EvidenceReport verify_evidence(const Evidence& evidence, const Genesis& genesis,
                               const ShareDigest* digest);

// What a part says of the history, whether it is proved or not.
std::vector<HistoryPoint> points_of(const EvidencePart& part);

// Who signed a note, by what is known of the voters: those in force at its height, else those of
// some time before, who may have gone their own way from there. nullopt: no majority of any.
struct KnownSigners {
  std::vector<Member> voters;
  std::optional<SupersededVoters> superseded;  // nullopt: they vote at its height
};
std::optional<KnownSigners> known_signers(const KnownLog& known, const SignerHistory& history);

}  // namespace eventchain::chain
