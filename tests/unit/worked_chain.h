#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "chain/work_proof.h"
#include "tests/unit/receipt_chain.h"

// Long chains of headers with real shares and no events, as honest clusters and as forgers make
// them, and the proofs of their work.
namespace work_test {

using namespace receipt_test;

// What a maker of a chain does otherwise than the rules have it; by height.
struct Deviation {
  // Nobody searched for this block's shares: they are any nonces, in the right order.
  std::function<bool(std::uint64_t)> is_idle = [](std::uint64_t) { return false; };
  // Before the shares are searched for.
  std::function<void(TemplateHeader&)> header = [](TemplateHeader&) {};
};

class WorkedChain {
 public:
  explicit WorkedChain(Genesis genesis)
      : genesis_(std::move(genesis)), members_(first_members(genesis_)) {
    set_ = member_set_hash(members_);
    take(genesis_block(genesis_));
  }

  // Grows to this many blocks, with genesis.
  void grow(std::uint64_t blocks, const Deviation& deviation = {}) {
    while (blocks_.size() < blocks) take(on_top(deviation, 0));
  }
  // Goes on after a block that may be anybody's: what the history has of it, and itself.
  void take(const SealedHeader& sealed) { take(sealed, leaf_of(sealed)); }
  void take(const SealedHeader& sealed, const HistoryNode& leaf) {
    history_.append(leaf, &nodes_);
    blocks_.push_back(sealed);
    tip_ = block_id(sealed);
  }
  // Another parent than the newest block, for who builds on one that is not there.
  SealedHeader on_top(const Deviation& deviation, std::uint64_t variant) const {
    SealedHeader sealed;
    TemplateHeader& header = sealed.header;
    const SealedHeader& parent = blocks_.back();
    header.chain = blocks_.front().header.chain;
    header.height = Height{blocks_.size()};
    header.parent = tip_;
    header.log_root = named<Hash>("log " + std::to_string(variant));
    header.log_size = header.height.value;
    header.history_root = history_.root();
    header.annex_root = annex_root({});
    header.started = parent.seal.sealed_at;
    header.time = {header.started.value + 250};
    header.share_target = required_target(genesis_, parent, header.started, header.time);
    header.share_count = genesis_.share_count;
    header.member_set = set_;
    // As long as it should take: the target stays what it is.
    sealed.seal.sealed_at = {header.time.value + genesis_.interval_ms};
    deviation.header(header);
    search(sealed, deviation.is_idle(header.height.value));
    return sealed;
  }
  void search(SealedHeader& sealed, bool is_idle) const {
    const TemplateHeader& header = sealed.header;
    const U256 target = expand(header.share_target).value();
    const TemplateHash hash = template_hash(header);
    sealed.seal.shares.clear();
    for (std::uint64_t trial = 0; sealed.seal.shares.size() < header.share_count; ++trial) {
      const Nonce nonce{nonce_high(Slot{0}, 0, trial), 7};
      const bool is_share =
          share_value(digest_.digest(share_preimage(header, hash, nonce))) <= target;
      if (is_share != is_idle) sealed.seal.shares.push_back(nonce);
    }
  }

  // Of the newest block, which two of the three voters sign.
  [[nodiscard]] Receipt head() const { return head_of(blocks_.back()); }
  [[nodiscard]] Receipt head_of(const SealedHeader& sealed) const {
    Receipt receipt;
    receipt.chain = sealed.header.chain;
    receipt.what = ReceiptBlock{};
    receipt.block = sealed;
    receipt.member_sets.push_back(std::make_shared<const MemberSet>(members_));
    const Bytes statement = certified_statement(sealed.header, block_id(sealed));
    static const auto first = signing_key(0);
    static const auto second = signing_key(1);
    receipt.certificate = {{Slot{0}, first->sign(statement)}, {Slot{1}, second->sign(statement)}};
    return receipt;
  }
  [[nodiscard]] WorkProof proof(const WorkSampling& sampling) const {
    return proof_of(head(), sampling);
  }
  [[nodiscard]] WorkProof proof_of(Receipt head, const WorkSampling& sampling) const {
    auto made = assemble_work_proof(
        std::move(head), sampling,
        [this](std::uint64_t number) -> Result<HistoryNode> { return nodes_.at(number); },
        [this](Height height) -> Result<SealedHeader> { return blocks_.at(height.value); });
    REQUIRE_MESSAGE(made, made.error().message);
    return std::move(*made);
  }
  [[nodiscard]] WorkReport verify(const WorkProof& proof) const {
    return verify_work_proof(proof, {genesis_, nullptr, {WorkShare::kHalf, 1, 1}});
  }

  static HistoryNode leaf_of(const SealedHeader& sealed) {
    return history_leaf(block_id(sealed), block_work(sealed.header), sealed.header.time,
                        sealed.seal.sealed_at);
  }

  [[nodiscard]] const Genesis& genesis() const { return genesis_; }
  [[nodiscard]] const std::vector<SealedHeader>& blocks() const { return blocks_; }
  [[nodiscard]] const History& history() const { return history_; }
  std::vector<HistoryNode>& nodes() { return nodes_; }

 private:
  Genesis genesis_;
  MemberSet members_;
  Hash set_;
  Sha256Digest digest_;
  BlockId tip_;
  History history_;
  std::vector<SealedHeader> blocks_;  // by height
  std::vector<HistoryNode> nodes_;    // by number
};

inline std::string failing(const WorkReport& report) {
  if (report.failed() == nullptr) return {};
  CHECK(report.failed() == &report.steps.back());
  CHECK(report.proved.empty());
  CHECK_FALSE(report.facts.has_value());
  return report.failed()->name;
}

}  // namespace work_test
