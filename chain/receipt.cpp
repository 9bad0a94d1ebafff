#include "chain/receipt.h"

#include <algorithm>
#include <bit>
#include <span>

#include "chain/hash.h"
#include "chain/log_tree.h"

// The parts of a receipt; what is believed of them is in receipt_verify.cpp.
namespace eventchain::chain {

namespace {

Hash root_over(std::span<const Hash> leaves) {
  LogTree tree;
  for (const Hash& leaf : leaves) tree.append(leaf);
  return tree.root();
}

struct Signer {
  Slot slot;
  NodeId node;
  std::string name;  // else a history could show one voter under another's name
  PublicKey key;
  bool operator==(const Signer&) const = default;
};

std::vector<Signer> signers_of(const MemberSet& set) {
  std::vector<Signer> signers;
  for (const Member& member : set.members)
    if (member.role == MemberRole::kVoter)
      signers.push_back({member.slot, member.node, member.name, member.signing_key});
  return signers;
}

}  // namespace

const char* to_string(StepState state) {
  switch (state) {
    case StepState::kPassed:
      return "passed";
    case StepState::kFailed:
      return "failed";
    case StepState::kNotChecked:
      return "not checked";
  }
  return "unknown";
}

bool is_of_block(const Receipt& receipt) {
  return std::holds_alternative<ReceiptBlock>(receipt.what);
}

const Commitment& commitment_of(const Receipt& receipt) {
  EC_ASSERT(!is_of_block(receipt), "a block's receipt speaks of no event");
  if (const auto* entry = std::get_if<ReceiptEntry>(&receipt.what)) return entry->commitment;
  return std::get<ReceiptRejection>(receipt.what).rejection.commitment;
}

const SealedHeader& certified_block(const Receipt& receipt) {
  return receipt.newer ? receipt.newer->sealed : receipt.block;
}

bool have_same_signers(const MemberSet& a, const MemberSet& b) {
  return a.voters_since == b.voters_since && signers_of(a) == signers_of(b);
}

std::vector<AnnexSibling> annex_path(const std::vector<AnnexItem>& annex, std::size_t index) {
  EC_ASSERT(index < annex.size(), "the path of an item that is there");
  std::vector<Hash> leaves;
  leaves.reserve(annex.size());
  for (const AnnexItem& item : annex) leaves.push_back(tree_leaf(encode_annex_item(item)));
  std::vector<AnnexSibling> path;
  std::span<const Hash> range(leaves);
  while (range.size() > 1) {
    const std::size_t split = std::bit_floor(range.size() - 1);
    const std::span<const Hash> left = range.first(split);
    const std::span<const Hash> right = range.subspan(split);
    if (index < split) {
      path.push_back({AnnexSibling::Side::kRight, root_over(right)});
      range = left;
    } else {
      path.push_back({AnnexSibling::Side::kLeft, root_over(left)});
      range = right;
      index -= split;
    }
  }
  std::reverse(path.begin(), path.end());
  return path;
}

Hash climb_annex(const AnnexItem& item, const std::vector<AnnexSibling>& path) {
  Hash hash = tree_leaf(encode_annex_item(item));
  for (const AnnexSibling& sibling : path)
    hash = sibling.side == AnnexSibling::Side::kLeft ? tree_node(sibling.hash, hash)
                                                     : tree_node(hash, sibling.hash);
  return hash;
}

const ReceiptStep* ReceiptReport::failed() const {
  const auto found = std::ranges::find(steps, StepState::kFailed, &ReceiptStep::state);
  return found == steps.end() ? nullptr : &*found;
}

const ReceiptStep* ReceiptReport::find(std::string_view name) const {
  const auto found = std::ranges::find(steps, name, &ReceiptStep::name);
  return found == steps.end() ? nullptr : &*found;
}

}  // namespace eventchain::chain
