#include "chain/checkpoint.h"

#include <doctest/doctest.h>

#include "chain/base64.h"
#include "tests/unit/receipt_chain.h"

using namespace receipt_test;

namespace {

const ReceiptChain& grown() {
  static const ReceiptChain chain = receipt_chain();
  return chain;
}

KnownLog known_of(const SignedNote& note) {
  auto known = parse_checkpoint(encode_note(note));
  REQUIRE_MESSAGE(known.has_value(), known.error().message);
  return std::move(*known);
}

ReceiptStep step_of(const Receipt& receipt, const SignedNote& note) {
  const ReceiptReport report =
      verify_receipt(receipt, {grown().state.genesis, nullptr, known_of(note)});
  REQUIRE(report.find("checkpoint") != nullptr);
  return *report.find("checkpoint");
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// A line of nobody's that matters: a witness's, whose signatures have a time in front.
NoteSignature cosignature() {
  return {"witness.example/w", NoteKeyId{{1, 2, 3, 4}}, Bytes(72, 'x')};
}

}  // namespace

TEST_CASE("a checkpoint is read back, with or without signatures") {
  for (const std::uint64_t height : {1U, 6U, 11U}) {
    const MadeBlock& made = grown().at(height);
    const KnownLog known = known_of(grown().note_of(height));
    REQUIRE(known.head.has_value());
    CHECK(point_of(known) == point_of(made.block.sealed));
    CHECK(known.origin == log_origin(grown().state.chain));
    const auto plain = parse_checkpoint(known.head->note.text);
    REQUIRE(plain.has_value());
    CHECK_FALSE(plain->head.has_value());
    CHECK(plain->root == known.root);
  }
}

TEST_CASE("what is no checkpoint is refused") {
  const std::string root = "+PYKCd4cXLe3tfpbcN/GywnnIryPgSrBkhWVVFeRnZc=";
  const auto good = parse_checkpoint("a/log\n19\n" + root + "\nmore\n");
  REQUIRE(good.has_value());
  CHECK(good->origin == "a/log");
  CHECK(good->size == 19);
  CHECK(to_hex(good->root).starts_with("f8f60a09de1c"));
  std::vector<std::string> bad = {
      std::string(), std::string("a/log\n19\n"), "a/log\n19\n" + root, "\n19\n" + root + "\n",
      "a/log\n019\n" + root + "\n", "a/log\n-1\n" + root + "\n",
      "a/log\n18446744073709551616\n" + root + "\n", "a/log\n19\n" + root + "=\n",
      std::string("a/log\n19\nAAAA\n"), "a\x1b/log\n19\n" + root + "\n",
      "a\xff/log\n19\n" + root + "\n", "a/log\n19 \n" + root + "\n",
      // Signed, and no certified statement.
      "a/log\n19\n" + root + "\nmore\n\n\u2014 who AAAAAAAAAAA=\n",
      std::string(kNoteBytesMax + 1, 'x')};
  const std::string whole = encode_note(grown().note_of(1));
  const std::vector<std::pair<std::string, std::string>> edits = {{"height 1", "height 01"},
                                                                  {"height 1", "heights 1"},
                                                                  {"block ", "block A"},
                                                                  {"members ", "block "},
                                                                  {"\n\n", "\nmore\n\n"}};
  for (const auto& edit : edits) {
    std::string changed = whole;
    bad.push_back(changed.replace(changed.find(edit.first), edit.first.size(), edit.second));
  }
  bad.push_back(whole.substr(0, whole.find("\n\n") + 2));
  for (const std::string& text : bad) {
    INFO(text.substr(0, 300));
    CHECK_FALSE(parse_checkpoint(text).has_value());
  }
}

TEST_CASE("a signed checkpoint is judged by the voters of its time") {
  const Receipt newest = grown().of_event(1, 0, 11);
  const auto signers = [&](std::uint64_t height) {
    return step_of(newest, grown().note_of(height)).text;
  };
  CHECK(contains(step_of(grown().of_event(1, 0), grown().note_of(1)).text,
                 "it is signed by n1, n2 and n3"));
  CHECK(contains(signers(1), "n1, n2 and n3"));
  for (const std::uint64_t height : {2U, 6U, 7U, 8U, 10U, 11U}) {
    const ReceiptStep step = step_of(newest, grown().note_of(height));
    CHECK_MESSAGE(step.state == StepState::kNotChecked, step.text);
    CHECK(contains(step.text, "it is signed by"));
  }
  // n2's new key signs for the block after it was changed, n4 for the one that made it a voter.
  CHECK(contains(signers(11), "n2 and n4"));
  CHECK(contains(signers(10), "n3 and n4"));
  // Who voted later is not known to a receipt that ends before.
  const ReceiptStep early = step_of(grown().of_event(4, 0), grown().note_of(11));
  CHECK(early.state == StepState::kNotChecked);
  CHECK(contains(early.text, "may have become voters"));
}

TEST_CASE("signatures that are wrong or too few make a checkpoint wrong, strangers' do not") {
  const Receipt receipt = grown().of_event(1, 0);
  const SignedNote note = grown().note_of(1);
  const auto state = [&](const SignedNote& changed) { return step_of(receipt, changed).state; };
  CHECK(state(note) == StepState::kPassed);
  SignedNote changed = note;
  changed.signatures.pop_back();
  CHECK(state(changed) == StepState::kPassed);
  changed.signatures.push_back(changed.signatures.front());  // twice the same counts once
  CHECK(state(changed) == StepState::kPassed);
  changed.signatures.back().signature[0] ^= 1;  // another one under the same key
  CHECK(state(changed) == StepState::kFailed);
  changed.signatures.pop_back();
  changed.signatures.erase(changed.signatures.begin() + 1);
  CHECK(state(changed) == StepState::kFailed);
  changed.signatures = {cosignature()};
  CHECK(state(changed) == StepState::kFailed);
  changed.signatures = {cosignature(), note.signatures[0], cosignature(), note.signatures[2]};
  CHECK(state(changed) == StepState::kPassed);
  // The origin's name with a key that is no voter's, and a voter's signature under another name.
  changed.signatures[0].name = note.signatures[0].name;
  CHECK(state(changed) == StepState::kPassed);
  changed.signatures[1].name = "somebody";
  CHECK(state(changed) == StepState::kFailed);
  for (std::size_t octet = 0; octet < Signature::kSize; ++octet) {
    changed = note;
    changed.signatures[1].signature[octet] ^= 8;
    CHECK(state(changed) == StepState::kFailed);
  }
  changed = note;
  changed.signatures[1].signature += "x";
  CHECK(state(changed) == StepState::kFailed);
  changed.signatures[1].signature.resize(10);
  CHECK(state(changed) == StepState::kFailed);
}

TEST_CASE("a signed checkpoint of another history is told so, and which block differs") {
  ReceiptChain other(receipt_genesis());
  other.add({.events = {801, 802, 803}, .signatures = {{0, 0}, {1, 1}, {2, 2}}});
  const Receipt receipt = grown().of_event(1, 0);
  ReceiptStep step = step_of(receipt, other.note_of(1));
  CHECK(step.state == StepState::kFailed);
  CHECK(contains(step.text, "two histories"));
  CHECK(contains(step.text, to_hex(other.at(1).id)));
  // The block that has the certificate is looked at too.
  for (std::uint64_t more = 810; more < 840; more += 10)
    other.add({.events = {more, more + 1, more + 2}, .signatures = {{0, 0}, {1, 1}, {2, 2}}});
  step = step_of(grown().of_event(3, 0), other.note_of(4));
  CHECK(step.state == StepState::kFailed);
  CHECK(contains(step.text, "at height 4"));
}

TEST_CASE("two things contradict each other by their blocks or their logs") {
  const auto point = [](std::uint64_t height, char id, std::uint64_t size, char root) {
    HistoryPoint made{HistoryPoint::Block{Height{height}, {}}, size, {}};
    made.block->id.octets.fill(static_cast<std::uint8_t>(id));
    made.log_root.octets.fill(static_cast<std::uint8_t>(root));
    return made;
  };
  const HistoryPoint one = point(5, 'a', 10, 'r');
  CHECK_FALSE(contradiction(one, one).has_value());
  CHECK_FALSE(contradiction(one, point(6, 'b', 10, 'r')).has_value());
  CHECK_FALSE(contradiction(one, point(6, 'b', 11, 's')).has_value());
  CHECK(contradiction(one, point(5, 'b', 10, 'r')) == Contradiction::kOtherBlock);
  CHECK(contradiction(one, point(6, 'b', 10, 's')) == Contradiction::kOtherLog);
  CHECK(contradiction(one, point(6, 'b', 9, 's')) == Contradiction::kShorterLog);
  CHECK(contradiction(point(6, 'b', 9, 's'), one) == Contradiction::kShorterLog);
  HistoryPoint unsigned_log = point(0, 0, 10, 's');
  unsigned_log.block.reset();
  CHECK(contradiction(one, unsigned_log) == Contradiction::kOtherLog);
  unsigned_log.log_size = 9;
  CHECK_FALSE(contradiction(one, unsigned_log).has_value());
}
