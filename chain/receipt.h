#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "chain/block.h"
#include "chain/certificate.h"
#include "chain/checkpoint.h"
#include "chain/history.h"
#include "chain/members.h"
#include "chain/work.h"

// Receipts: what proves, to somebody who trusts no node and has the genesis file alone, that an
// event is in the chain, that a block rejected it, or which block stands at a height. RECEIPTS.md
// has the format and every step of the verification; erasures are to follow as a further kind.
namespace eventchain::chain {

// What the commitment stands for. Without it a receipt still proves that the commitment is there.
struct ShownBody {
  Salt salt;
  Bytes body;  // as it is stored and hashed
  bool operator==(const ShownBody&) const = default;
};

// The event has a position.
struct ReceiptEntry {
  Commitment commitment;
  Position position;
  std::vector<Hash> path;  // to the log root of the receipt's block (log_tree.h)
  bool operator==(const ReceiptEntry&) const = default;
};

// One level of the way from an annex item to the annex root: the sibling, and where it stands. The
// side is spelled out because no header says how many items an annex has.
struct AnnexSibling {
  enum class Side : std::uint8_t { kLeft, kRight };
  Side side = Side::kLeft;
  Hash hash;
  bool operator==(const AnnexSibling&) const = default;
};

// The block refused it one: its annex says so.
struct ReceiptRejection {
  Rejection rejection;
  std::vector<AnnexSibling> path;  // to the annex root of the receipt's block
  bool operator==(const ReceiptRejection&) const = default;
};

// The block itself is what is proved; nothing in it is.
struct ReceiptBlock {
  bool operator==(const ReceiptBlock&) const = default;
};

// A later block whose certificate stands for the receipt's block too.
struct NewerBlock {
  SealedHeader sealed;
  std::vector<HistoryNode> path;  // from the receipt's block to its history root (history.h)
  bool operator==(const NewerBlock&) const = default;
};

// A block that changed who signs, with what it takes to know the signers after it.
struct VoterStep {
  SealedHeader sealed;
  std::vector<AnnexItem> annex;  // all of it
  Certificate certificate;
  bool operator==(const VoterStep&) const = default;
};

// Leads from the log as of the receipt's block to the log of another size.
struct LogConsistency {
  std::uint64_t size = 0;
  std::vector<Hash> path;  // between the smaller and the larger of the two
  bool operator==(const LogConsistency&) const = default;
};

struct Receipt {
  ChainId chain;
  std::optional<ShownBody> shown;
  std::variant<ReceiptEntry, ReceiptRejection, ReceiptBlock> what;
  SealedHeader block;  // in whose log, or whose annex, it stands
  std::optional<NewerBlock> newer;
  Certificate certificate;        // of the newer block, else of the block itself
  std::vector<VoterStep> voters;  // each block below that one that changed who signs, ascending
  // Those that the headers name, each once, in any order.
  std::vector<MembersRef> member_sets;
  std::optional<LogConsistency> consistency;
};

bool is_of_block(const Receipt& receipt);
// Pre: the receipt is not of a block.
const Commitment& commitment_of(const Receipt& receipt);
// The block whose certificate it has.
const SealedHeader& certified_block(const Receipt& receipt);

// Whether certificates are judged alike under both sets: the same voters with the same keys, and no
// change between.
bool have_same_signers(const MemberSet& a, const MemberSet& b);

// From an item to the annex root. Pre: `index` is an item's.
std::vector<AnnexSibling> annex_path(const std::vector<AnnexItem>& annex, std::size_t index);
Hash climb_annex(const AnnexItem& item, const std::vector<AnnexSibling>& path);

struct ReceiptTrust {
  const Genesis& genesis;  // outlives the verification
  // Of the genesis' work function; null: its plain_digest(). Where there is neither, the work is
  // not checked, and the report says so.
  const ShareDigest* digest = nullptr;
  std::optional<KnownLog> known;
};

enum class StepState : std::uint8_t { kPassed, kFailed, kNotChecked };
const char* to_string(StepState state);

struct ReceiptStep {
  std::string name;  // as in RECEIPTS.md
  StepState state;
  std::string text;  // a sentence for people
};

// What a verified receipt says, for programs.
struct ReceiptFacts {
  std::optional<Commitment> commitment;  // nullopt: the receipt is of a block
  std::optional<EventKey> event;         // nullopt: nothing shows it, the commitment is all
  std::optional<Position> position;      // nullopt: it was rejected
  Height block;
  BlockId block_id;
  UnixMillis sealed_at;  // by the clock of who led then
  U256 work;             // of the block
  Height certified_block;
  std::vector<std::string> signers;  // names of the voters that signed
  std::size_t voters = 0;            // of how many
  // Of the block and all up to the certified one, as its signers say. nullopt: no newer block.
  std::optional<U256> work_since;
};

struct ReceiptReport {
  // In the order of RECEIPTS.md, up to the first that failed.
  std::vector<ReceiptStep> steps;
  // Sentences for people; empty if a step failed.
  std::vector<std::string> proved;
  std::vector<std::string> not_proved;
  std::optional<ReceiptFacts> facts;
  // As far as the steps have proved it, up to the certified block.
  SignerHistory signers;

  [[nodiscard]] const ReceiptStep* failed() const;  // null: none
  [[nodiscard]] bool is_proved() const { return failed() == nullptr; }
  [[nodiscard]] const ReceiptStep* find(std::string_view name) const;  // null: not got to
};

// Pure: reads no clock and no file. For any receipt, whoever made it.
ReceiptReport verify_receipt(const Receipt& receipt, const ReceiptTrust& trust);

}  // namespace eventchain::chain
