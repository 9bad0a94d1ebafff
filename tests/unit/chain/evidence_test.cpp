#include "chain/evidence.h"

#include <doctest/doctest.h>

#include <functional>
#include <set>

#include "tests/unit/receipt_chain.h"

// Two histories of one genesis and the same keys, and what shows that there are two.
using namespace receipt_test;

namespace {

const ReceiptChain& grown() {
  static const ReceiptChain chain = receipt_chain();
  return chain;
}

EvidenceReport verify(EvidencePart first, EvidencePart second) {
  return verify_evidence({std::move(first), std::move(second)}, grown().state.genesis, nullptr);
}

// The name of the step that fails; empty if there are two histories.
std::string failing(EvidencePart first, EvidencePart second) {
  const EvidenceReport report = verify(std::move(first), std::move(second));
  CHECK(report.proved.empty() == (report.failed() != nullptr));
  CHECK(report.facts.has_value() == report.is_proved());
  return report.failed() == nullptr ? std::string() : report.failed()->name;
}

KnownLog checkpoint(const ReceiptChain& chain, std::uint64_t height) {
  auto known = parse_checkpoint(encode_note(chain.note_of(height)));
  REQUIRE_MESSAGE(known.has_value(), known.error().message);
  return std::move(*known);
}

bool has_sentence(const std::vector<std::string>& sentences, std::string_view part) {
  return std::ranges::any_of(
      sentences, [&](const std::string& one) { return one.find(part) != std::string::npos; });
}

const std::vector<SignedBy> kFirstThree = {{0, 0}, {1, 1}, {2, 2}};

// Of the same first voters, who never changed.
ReceiptChain unchanging(std::uint64_t blocks, std::vector<std::uint64_t> events_each = {900}) {
  ReceiptChain chain(receipt_genesis());
  for (std::uint64_t height = 1; height <= blocks; ++height) {
    for (std::uint64_t& event : events_each) event += 10;
    chain.add({.events = events_each, .signatures = kFirstThree});
  }
  return chain;
}

}  // namespace

TEST_CASE("any two receipts that tell other blocks at one height are evidence, and no others") {
  std::size_t proved = 0;
  for (const std::uint64_t fork : {1U, 4U, 6U, 7U, 10U}) {
    const ReceiptChain other = receipt_chain(WorkFunction::kSha256, fork);
    for (std::uint64_t a = 1; a <= 11; ++a)
      for (std::uint64_t b = 1; b <= 11; ++b)
        for (const std::uint64_t end : {std::uint64_t{0}, std::uint64_t{11}}) {
          INFO("fork at ", fork, ", receipts of ", a, " and ", b, ", ", end);
          const std::set<std::uint64_t> ours{a, end == 0 ? grown().first_certified(a) : end};
          const std::set<std::uint64_t> theirs{b, other.first_certified(b)};
          const bool is_evidence = std::ranges::any_of(ours, [&](std::uint64_t height) {
            return height >= fork && theirs.contains(height);
          });
          const std::string step = failing(grown().of_block(a, end), other.of_block(b));
          CHECK(step == (is_evidence ? "" : "contradiction"));
          proved += is_evidence ? 1 : 0;
        }
  }
  CHECK(proved > 100);
}

TEST_CASE("receipts of events and rejections are as good as those of blocks") {
  const ReceiptChain other = receipt_chain(WorkFunction::kSha256, 2);
  CHECK(failing(grown().of_event(2, 0), other.of_rejection(2, 1)) == "");
  CHECK(failing(grown().of_rejection(6, 0), other.of_event(5, 2)) == "");
  CHECK(failing(grown().of_event(2, 0), grown().of_rejection(2, 1)) == "contradiction");
}

TEST_CASE("evidence tells who signed both, and what it does not show") {
  const ReceiptChain other = receipt_chain(WorkFunction::kSha256, 3);
  const EvidenceReport report = verify(grown().of_block(7), other.of_block(7));
  REQUIRE(report.is_proved());
  CHECK(report.facts->kind == Contradiction::kOtherBlock);
  CHECK(report.facts->first.block->id == grown().at(7).id);
  CHECK(report.facts->second.block->id == other.at(7).id);
  CHECK(report.facts->both == std::vector<std::string>{"n1", "n2", "n4"});
  CHECK(has_sentence(report.proved, "two histories of the chain 'shop'"));
  CHECK(has_sentence(report.proved, "The same keys signed both, which no sound node does: n1 ("));
  CHECK(has_sentence(report.not_proved, "Which of the two is the true history"));
  CHECK(has_sentence(report.not_proved, "old copy of its disk"));
  CHECK(has_sentence(report.not_proved, "keys which were replaced"));
  CHECK(report.steps.front().name == "first.chain");
  CHECK(report.steps.back().name == "contradiction");
  // Where the voters changed in one history, the two need have no signer in common.
  const EvidenceReport apart = verify(grown().of_block(11), [] {
    ReceiptChain chain = unchanging(10);
    chain.add({.events = {5}, .signatures = {{0, 0}, {2, 2}}});
    return chain.of_block(11);
  }());
  REQUIRE(apart.is_proved());
  CHECK(apart.facts->both.empty());
  CHECK(has_sentence(apart.not_proved, "no key is among the signatures of both"));
}

TEST_CASE("a voter's id with another key convicts nobody: liars give their keys others' ids") {
  ReceiptChain honest = unchanging(10);
  honest.add({.events = {5}, .signatures = {{0, 0}, {1, 1}}});
  // There n2 has another key from block 8 on.
  const EvidenceReport report = verify(grown().of_block(11), honest.of_block(11));
  REQUIRE(report.is_proved());
  CHECK(report.facts->first_signers == std::vector<std::string>{"n2", "n4"});
  CHECK(report.facts->second_signers == std::vector<std::string>{"n1", "n2"});
  CHECK(report.facts->both.empty());
  CHECK(has_sentence(report.not_proved, "That n2 signed both"));
}

TEST_CASE("a log with another root, or a shorter log above, is evidence without a common height") {
  const ReceiptChain one = unchanging(6);
  const ReceiptChain other = unchanging(6, {300, 400});
  const EvidenceReport same_size = verify(one.of_block(4), other.of_block(2));
  REQUIRE(same_size.is_proved());
  CHECK(same_size.facts->kind == Contradiction::kOtherLog);
  const EvidenceReport shorter = verify(other.of_block(4), one.of_block(6));
  REQUIRE(shorter.is_proved());
  CHECK(shorter.facts->kind == Contradiction::kShorterLog);
  CHECK(has_sentence(shorter.proved, "a log only grows"));
  CHECK(failing(one.of_block(1), other.of_block(2)) == "contradiction");
}

TEST_CASE("a signed checkpoint and a receipt, by the voters that the receipt proves") {
  const ReceiptChain other = receipt_chain(WorkFunction::kSha256, 3);
  for (const std::uint64_t height : {4U, 6U, 7U, 8U, 10U, 11U}) {
    INFO("checkpoint of block ", height);
    CHECK(failing(grown().of_block(height, height == 10 ? 11 : height),
                  checkpoint(other, height)) == "");
    CHECK(failing(grown().of_block(height, 11), checkpoint(other, height)) == "");
    CHECK(failing(grown().of_block(height, 11), checkpoint(grown(), height)) == "contradiction");
  }
  for (const std::uint64_t height : {1U, 2U})
    CHECK(failing(grown().of_block(height, 11), checkpoint(other, height)) == "contradiction");
  // Signed by those who voted before the receipt's history changed them.
  CHECK(failing(grown().of_block(11), checkpoint(unchanging(11), 11)) == "");
  // And by those who became voters in a history that the receipt does not know.
  CHECK(failing(unchanging(11).of_block(11), checkpoint(grown(), 11)) == "second.signatures");
}

TEST_CASE("who signed as a voter of an older set is told to be one") {
  const KnownLog parted = checkpoint(unchanging(11), 11);
  const EvidenceReport report = verify(grown().of_block(11), parted);
  REQUIRE(report.is_proved());
  REQUIRE(report.facts->second_superseded.has_value());
  CHECK(report.facts->second_superseded->since == Height{6});
  CHECK(report.facts->second_superseded->until == Height{8});
  const auto step = std::ranges::find(report.steps, "second.signatures", &ReceiptStep::name);
  REQUIRE(step != report.steps.end());
  CHECK(step->text ==
        "n1, n2 and n3 signed the checkpoint, as voters of an older set: it was in force from "
        "block 6 on, and block 8 superseded it");
  CHECK(has_sentence(report.proved, "block 8 superseded it"));
  CHECK(has_sentence(report.not_proved, "were voters when they signed"));
  // Those in force are not: neither where nothing changed, nor where it changed at that height.
  const ReceiptChain other = receipt_chain(WorkFunction::kSha256, 3);
  for (const std::uint64_t height : {4U, 6U, 7U, 8U, 11U}) {
    const EvidenceReport plain = verify(grown().of_block(height, 11), checkpoint(other, height));
    REQUIRE(plain.is_proved());
    CHECK_FALSE(plain.facts->second_superseded.has_value());
    CHECK_FALSE(has_sentence(plain.proved, "superseded"));
  }
}

TEST_CASE("a checkpoint with two lines of a voter is evidence of nothing") {
  const ReceiptChain other = receipt_chain(WorkFunction::kSha256, 3);
  KnownLog known = checkpoint(other, 4);
  known.head->note.signatures.push_back(known.head->note.signatures[0]);
  CHECK(failing(grown().of_block(4), known) == "");
  known.head->note.signatures.back().signature[0] ^= 1;
  CHECK(failing(grown().of_block(4), known) == "second.signatures");
}

TEST_CASE("two signed checkpoints, by the first voters") {
  const ReceiptChain other = receipt_chain(WorkFunction::kSha256, 2);
  CHECK(failing(checkpoint(grown(), 4), checkpoint(other, 4)) == "");
  CHECK(failing(checkpoint(grown(), 2), checkpoint(other, 2)) == "");
  CHECK(failing(checkpoint(grown(), 1), checkpoint(other, 1)) == "contradiction");
  CHECK(failing(checkpoint(grown(), 4), checkpoint(other, 2)) == "contradiction");
  CHECK(failing(checkpoint(grown(), 11), checkpoint(other, 11)) == "first.signatures");
}

TEST_CASE("checkpoints with too few, wrong or no signatures are evidence of nothing") {
  const ReceiptChain other = receipt_chain(WorkFunction::kSha256, 3);
  const Receipt receipt = grown().of_block(4);
  const auto outcome = [&](const std::function<void(KnownLog&)>& change) {
    KnownLog known = checkpoint(other, 4);
    change(known);
    return failing(receipt, known);
  };
  CHECK(outcome([](KnownLog&) {}) == "");
  CHECK(outcome([](KnownLog& known) { known.head->note.signatures.pop_back(); }) == "");
  CHECK(outcome([](KnownLog& known) { known.head->note.signatures.resize(1); }) ==
        "second.signatures");
  CHECK(outcome([](KnownLog& known) { known.head->note.signatures[0].signature[9] ^= 1; }) ==
        "second.signatures");
  CHECK(outcome([](KnownLog& known) { known.head.reset(); }) == "second.signatures");
  CHECK(outcome([](KnownLog& known) { known.origin += "0"; }) == "second.origin");
  // What another cluster's witness adds does not matter.
  CHECK(outcome([](KnownLog& known) {
          known.head->note.signatures.push_back({"witness", NoteKeyId{{9}}, Bytes(72, 'w')});
        }) == "");
}

TEST_CASE("a receipt that does not hold makes no evidence") {
  const ReceiptChain other = receipt_chain(WorkFunction::kSha256, 3);
  Receipt spoilt = other.of_block(7);
  spoilt.certificate.pop_back();
  CHECK(failing(grown().of_block(7), spoilt) == "second.certificate");
  CHECK(failing(spoilt, grown().of_block(7)) == "first.certificate");
  spoilt = other.of_block(7);
  spoilt.voters[0].certificate[0].signature.octets[5] ^= 1;
  CHECK(failing(grown().of_block(7), spoilt) == "second.voters-6");
  spoilt = other.of_block(7);
  spoilt.chain.octets[0] ^= 1;
  CHECK(failing(grown().of_block(7), spoilt) == "second.chain");
}

TEST_CASE("one voter's two histories") {
  Genesis genesis = receipt_genesis();
  genesis.voters.resize(1);
  ReceiptChain one(genesis);
  ReceiptChain other(genesis);
  for (std::uint64_t height = 1; height <= 5; ++height) {
    one.add({.events = {height}, .signatures = {{0, 0}}});
    other.add({.events = {height < 3 ? height : height + 100}, .signatures = {{0, 0}}});
  }
  const auto judge = [&](const EvidencePart& first, const EvidencePart& second) {
    return verify_evidence({first, second}, genesis, nullptr);
  };
  CHECK(judge(one.of_block(3), other.of_block(3)).facts->both == std::vector<std::string>{"n1"});
  CHECK(judge(one.of_block(1, 4), other.of_block(4)).is_proved());
  CHECK(judge(one.of_block(5), checkpoint(other, 5)).is_proved());
  CHECK(judge(checkpoint(one, 5), checkpoint(other, 5)).is_proved());
  CHECK_FALSE(judge(one.of_block(2), other.of_block(2)).is_proved());
  CHECK_FALSE(judge(one.of_block(2), other.of_block(3)).is_proved());
}
