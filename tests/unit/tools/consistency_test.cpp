#include "tools/eventchain/consistency.h"

#include <doctest/doctest.h>

#include <functional>

#include "node/api/receipt_json.h"
#include "tests/unit/receipt_chain.h"

using namespace receipt_test;
using namespace eventchain::tools;
using eventchain::node::api::format_receipt;
using eventchain::store::ReceiptShape;

namespace {

const ReceiptChain& grown() {
  static const ReceiptChain chain = receipt_chain();
  return chain;
}
// Parts from the other in block 3.
const ReceiptChain& other() {
  static const ReceiptChain chain = receipt_chain(WorkFunction::kSha256, 3);
  return chain;
}

// A member that has a chain up to a height.
class Holder final : public BlockSource {
 public:
  using State = SourceAnswer::State;

  explicit Holder(const ReceiptChain& chain, std::uint64_t tip = 11) : chain_(chain), tip_(tip) {}

  SourceAnswer receipt(Height height, const ReceiptShape& shape) override {
    ++asked;
    if (lie) return lie(height);
    const std::uint64_t end =
        height.value == 0 || height.value > tip_ ? 0 : chain_.first_certified(height.value);
    if (end == 0 || end > tip_) return {State::kNotYet, "there is no such block here yet"};
    Receipt made = chain_.of_block(height.value);
    const std::uint64_t size = shape.log_size.value_or(0);
    const std::uint64_t own = made.block.header.log_size;
    if (size > chain_.at(tip_).block.sealed.header.log_size)
      return {State::kNotYet, "the log is not that long here"};
    if (shape.log_size)
      made.consistency = LogConsistency{
          size, consistency_proof(std::min(own, size), std::max(own, size), chain_.tree_reader())
                    .value()};
    return {State::kReceipt, format_receipt(made).value()};
  }
  SourceAnswer newest(const ReceiptShape& shape) override {
    for (std::uint64_t height = tip_; height > 0; --height)
      if (is_certified(chain_.at(height).certificate, *chain_.at(height).before,
                       *chain_.at(height).before))
        return is_light ? SourceAnswer{State::kCheckpoint, encode_note(chain_.note_of(height))}
                        : receipt(Height{height}, shape);
    return {State::kNotYet, "it has no block but genesis"};
  }

  std::function<SourceAnswer(Height)> lie;
  bool is_light = false;
  int asked = 0;

 private:
  const ReceiptChain& chain_;
  const std::uint64_t tip_;
};

ConsistencySide member(BlockSource& source) {
  return {"a member", std::nullopt, &source};
}
ConsistencySide file(Receipt receipt) {
  return {"a receipt", std::move(receipt), nullptr};
}
ConsistencySide note(const ReceiptChain& chain, std::uint64_t height) {
  return {"a checkpoint", parse_checkpoint(encode_note(chain.note_of(height))).value(), nullptr};
}
ConsistencySide plain(const ReceiptChain& chain, std::uint64_t height) {
  return {"a plain one", parse_checkpoint(chain.note_of(height).text).value(), nullptr};
}

// Either way round the same comes of it; evidence holds for whoever has the genesis file.
Agreement verdict(const ConsistencySide& a, const ConsistencySide& b,
                  ConsistencySide* asked = nullptr) {
  const Genesis& genesis = grown().state.genesis;
  const ConsistencyVerdict one = check_consistency(genesis, nullptr, a, b, asked);
  const ConsistencyVerdict twin = check_consistency(genesis, nullptr, b, a, asked);
  CHECK(one.agreement == twin.agreement);
  for (const ConsistencyVerdict& it : {one, twin}) {
    CHECK_FALSE(it.said.empty());
    CHECK(it.evidence.has_value() == (it.agreement == Agreement::kTwoHistories));
    if (it.evidence) CHECK(verify_evidence(*it.evidence, genesis, nullptr).is_proved());
  }
  return one.agreement;
}

}  // namespace

TEST_CASE("members of one history are consistent, however far they have come") {
  for (const std::uint64_t tip : {1U, 2U, 5U, 7U, 9U, 11U}) {
    INFO("one has come to ", tip);
    Holder one(grown(), tip);
    Holder ahead(grown());
    CHECK(verdict(member(one), member(ahead)) == Agreement::kConsistent);
  }
}

TEST_CASE("members of two histories are evidence, unless one ends where they part") {
  for (const std::uint64_t tip : {1U, 2U, 4U, 7U, 9U, 11U}) {
    INFO("one has come to ", tip);
    Holder one(grown(), tip);
    Holder rewritten(other());
    CHECK(verdict(member(one), member(rewritten)) ==
          (tip < 3 ? Agreement::kConsistent : Agreement::kTwoHistories));
  }
}

TEST_CASE("a member and a receipt") {
  for (std::uint64_t height = 1; height <= 11; ++height) {
    INFO("block ", height);
    Holder one(grown());
    Holder rewritten(other());
    CHECK(verdict(file(grown().of_block(height)), member(one)) == Agreement::kConsistent);
    CHECK(verdict(file(grown().of_block(height)), member(rewritten)) ==
          (height < 3 ? Agreement::kConsistent : Agreement::kTwoHistories));
    CHECK(verdict(file(grown().of_event(1, 0, 11)), member(rewritten)) == Agreement::kTwoHistories);
  }
}

TEST_CASE("a member that is behind a receipt agrees as far as it has come, or does not") {
  Holder behind(grown(), 4);
  Holder rewritten(other(), 4);
  Holder early(grown(), 1);
  CHECK(verdict(file(grown().of_block(4, 11)), member(behind)) == Agreement::kConsistent);
  CHECK(verdict(file(grown().of_block(2, 11)), member(behind)) == Agreement::kUnknown);
  CHECK(verdict(file(grown().of_block(4, 11)), member(rewritten)) == Agreement::kTwoHistories);
  CHECK(verdict(file(grown().of_block(4, 11)), member(early)) == Agreement::kUnknown);
  CHECK(verdict(note(grown(), 11), member(behind)) == Agreement::kUnknown);
}

TEST_CASE("a member and a checkpoint, with signatures or without") {
  Holder one(grown());
  Holder rewritten(other());
  for (const std::uint64_t height : {4U, 6U, 7U, 8U, 10U, 11U}) {
    INFO("block ", height);
    CHECK(verdict(note(grown(), height), member(one)) == Agreement::kConsistent);
    CHECK(verdict(note(grown(), height), member(rewritten)) == Agreement::kTwoHistories);
    CHECK(verdict(plain(grown(), height), member(one)) == Agreement::kConsistent);
    // Nobody but its reader believes a checkpoint without signatures.
    CHECK(verdict(plain(grown(), height), member(rewritten)) == Agreement::kContradiction);
  }
  ConsistencySide forged = note(grown(), 7);
  std::get<KnownLog>(*forged.item).head->note.signatures.resize(1);
  CHECK(verdict(forged, member(rewritten)) == Agreement::kContradiction);
  Holder behind(grown(), 4);
  CHECK(verdict(plain(grown(), 11), member(behind)) == Agreement::kUnknown);
}

TEST_CASE("two files are settled by themselves where they can be") {
  CHECK(verdict(file(grown().of_block(2)), file(grown().of_event(1, 0, 2))) ==
        Agreement::kConsistent);
  CHECK(verdict(file(grown().of_block(7)), file(other().of_block(7))) == Agreement::kTwoHistories);
  CHECK(verdict(file(grown().of_block(7)), note(grown(), 7)) == Agreement::kConsistent);
  CHECK(verdict(file(grown().of_block(7)), note(other(), 7)) == Agreement::kTwoHistories);
  CHECK(verdict(file(grown().of_block(7)), plain(grown(), 7)) == Agreement::kConsistent);
  CHECK(verdict(file(grown().of_block(7)), plain(other(), 7)) == Agreement::kContradiction);
  CHECK(verdict(note(grown(), 4), note(other(), 4)) == Agreement::kTwoHistories);
  CHECK(verdict(note(grown(), 4), note(grown(), 4)) == Agreement::kConsistent);
  // By the path in the receipt.
  Receipt receipt = grown().of_block(4);
  receipt.consistency = LogConsistency{19, consistency_proof(7, 19, grown().tree_reader()).value()};
  CHECK(verdict(file(receipt), plain(grown(), 11)) == Agreement::kConsistent);
  CHECK(verdict(file(receipt), plain(other(), 11)) == Agreement::kContradiction);
}

TEST_CASE("what two files leave open a member settles") {
  CHECK(verdict(note(grown(), 4), note(grown(), 11)) == Agreement::kUnknown);
  CHECK(verdict(file(grown().of_block(1)), file(grown().of_block(7))) == Agreement::kUnknown);
  Holder one(grown());
  Holder rewritten(other());
  ConsistencySide asked = member(one);
  CHECK(verdict(note(grown(), 4), note(grown(), 11), &asked) == Agreement::kConsistent);
  CHECK(verdict(note(other(), 4), note(grown(), 11), &asked) == Agreement::kTwoHistories);
  // After the voters changed, two checkpoints do not say who may sign them.
  CHECK(verdict(note(grown(), 11), note(other(), 11)) == Agreement::kContradiction);
  CHECK(verdict(note(grown(), 11), note(other(), 11), &asked) == Agreement::kTwoHistories);
  Holder liar(grown());
  liar.lie = [](Height) { return SourceAnswer{SourceAnswer::State::kReceipt, "{}"}; };
  asked = member(liar);
  CHECK(verdict(note(grown(), 11), note(other(), 11), &asked) == Agreement::kContradiction);
  CHECK(verdict(note(grown(), 4), note(grown(), 11), &asked) == Agreement::kUnverified);
  asked = member(rewritten);
  CHECK(verdict(note(grown(), 4), note(grown(), 11), &asked) == Agreement::kTwoHistories);
}

TEST_CASE("who answers something else, or nothing, is named and is no evidence") {
  using State = SourceAnswer::State;
  const ConsistencySide receipt = file(grown().of_block(7));
  const auto outcome = [&](const std::function<SourceAnswer(Height)>& lie) {
    Holder liar(grown());
    liar.is_light = true;  // its checkpoint is sound
    liar.lie = lie;
    return verdict(receipt, member(liar));
  };
  CHECK(outcome([](Height) { return SourceAnswer{State::kRefused, "no"}; }) == Agreement::kUnknown);
  CHECK(outcome([](Height) {
          return SourceAnswer{State::kUnreachable, "gone"};
        }) == Agreement::kUnknown);
  CHECK(outcome([](Height) {
          return SourceAnswer{State::kReceipt, "{}"};
        }) == Agreement::kUnverified);
  CHECK(outcome([](Height) {
          return SourceAnswer{State::kReceipt, format_receipt(grown().of_block(6)).value()};
        }) == Agreement::kUnverified);
  CHECK(outcome([](Height height) {
          Receipt spoilt = other().of_block(height.value);
          spoilt.certificate[0].signature.octets[0] ^= 1;
          return SourceAnswer{State::kReceipt, format_receipt(spoilt).value()};
        }) == Agreement::kUnverified);
  Receipt spoilt = grown().of_block(7);
  spoilt.certificate.pop_back();
  Holder one(grown());
  CHECK(verdict(file(spoilt), member(one)) == Agreement::kUnverified);
  ConsistencySide foreign = note(grown(), 7);
  std::get<KnownLog>(*foreign.item).origin = "another/log";
  CHECK(verdict(foreign, member(one)) == Agreement::kUnverified);
}

TEST_CASE("a light member has its checkpoint alone, and the other one settles it") {
  Holder light(grown());
  light.is_light = true;
  Holder one(grown());
  Holder rewritten(other());
  CHECK(verdict(member(light), member(one)) == Agreement::kConsistent);
  CHECK(verdict(member(light), member(rewritten)) == Agreement::kTwoHistories);
}

TEST_CASE("a member that has no block yet leaves it open") {
  Holder nobody(grown(), 0);
  Holder one(grown());
  CHECK(verdict(member(nobody), member(one)) == Agreement::kUnknown);
}
