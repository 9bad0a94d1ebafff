#include "node/api/evidence_json.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "node/api/receipt_json.h"
#include "tests/unit/receipt_chain.h"

using namespace receipt_test;
using eventchain::node::api::format_evidence;
using eventchain::node::api::kEvidenceBytesMax;
using eventchain::node::api::parse_evidence;

namespace {

const ReceiptChain& grown() {
  static const ReceiptChain chain = receipt_chain();
  return chain;
}
const ReceiptChain& other() {
  static const ReceiptChain chain = receipt_chain(WorkFunction::kSha256, 3);
  return chain;
}

KnownLog checkpoint(const ReceiptChain& chain, std::uint64_t height) {
  return parse_checkpoint(encode_note(chain.note_of(height))).value();
}

std::string text_of(const Evidence& evidence) {
  auto text = format_evidence(evidence);
  REQUIRE_MESSAGE(text.has_value(), text.error().message);
  return std::move(*text);
}

Evidence of_receipts() {
  return {grown().of_event(7, 0), other().of_block(5, 7)};
}
Evidence of_receipt_and_checkpoint() {
  return {grown().of_block(8), checkpoint(other(), 8)};
}
Evidence of_checkpoints() {
  return {checkpoint(grown(), 4), checkpoint(other(), 4)};
}

std::string edited(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  return text.replace(at, from.size(), to);
}

// EVENTCHAIN_WRITE_GOLDEN=1 writes one that is missing.
void check_golden(const std::string& name, const std::string& content) {
  const std::string path = EVENTCHAIN_TEST_DATA "/receipts/" + name;
  if (std::getenv("EVENTCHAIN_WRITE_GOLDEN") != nullptr && !std::ifstream(path).is_open())
    std::ofstream(path, std::ios::binary) << content;
  std::ifstream file(path, std::ios::binary);
  REQUIRE_MESSAGE(file.is_open(), path);
  std::stringstream stored;
  stored << file.rdbuf();
  CHECK_MESSAGE(stored.str() == content, name);
}

}  // namespace

TEST_CASE("evidence comes back from its text, and proves as much") {
  for (const Evidence& evidence : {of_receipts(), of_receipt_and_checkpoint(), of_checkpoints()}) {
    CHECK(verify_evidence(evidence, grown().state.genesis, nullptr).is_proved());
    const std::string text = text_of(evidence);
    const auto again = parse_evidence(text);
    REQUIRE_MESSAGE(again.has_value(), again.error().message);
    CHECK(text_of(*again) == text);
    CHECK(verify_evidence(*again, grown().state.genesis, nullptr).is_proved());
  }
}

TEST_CASE("the golden evidence is written octet by octet as it was") {
  check_golden("evidence-receipts.json", text_of(of_receipts()) + "\n");
  check_golden("evidence-checkpoint.json", text_of(of_receipt_and_checkpoint()) + "\n");
  check_golden("evidence-checkpoints.json", text_of(of_checkpoints()) + "\n");
}

TEST_CASE("what is no evidence is refused, and the place is named") {
  const std::string whole = text_of(of_receipt_and_checkpoint());
  const std::string plain = grown().note_of(4).text;
  const auto refusal = [](const std::string& text) {
    const auto parsed = parse_evidence(text);
    return parsed ? std::string("accepted") : parsed.error().message;
  };
  const auto names = [&](const std::string& text, std::string_view part) {
    const std::string message = refusal(text);
    INFO(message);
    CHECK(message.find(part) != std::string::npos);
  };
  names("", "evidence: ");
  names("[]", "evidence");
  names("{}", "format");
  names(edited(whole, "eventchain-evidence", "eventchain-receipt"), "format must be");
  names(edited(whole, "\"version\":1", "\"version\":2"), "version must be 1");
  names(edited(whole, "\"first\":", "\"third\":"), "first is missing");
  names(edited(whole, "\"first\":", "\"note\":\"\",\"first\":"), "note");
  names(edited(whole, "\"log_root\":\"", "\"log_root\":\"0"), "evidence.first.block");
  names(edited(whole, "height 8", "height 08"), "evidence.second");
  names(R"({"format":"eventchain-evidence","version":1,"first":"x","second":{}})",
        "first must be the receipt");
  names(R"({"format":"eventchain-evidence","version":1,"first":{},"second":{}})", "evidence.first");
  names(R"({"format":"eventchain-evidence","version":1,"first":1,"second":2})", "evidence.first");
  for (std::size_t end = 0; end < whole.size(); end += 7)
    CHECK(refusal(whole.substr(0, end)) != "accepted");
  CHECK(refusal(std::string(kEvidenceBytesMax + 1, ' ')).find("this is no evidence") !=
        std::string::npos);
  // A checkpoint that nobody signed is its reader's word alone.
  Evidence evidence = of_checkpoints();
  const std::string text = text_of(evidence);
  const std::size_t end = text.rfind("\\n\\n");
  names(text.substr(0, end) + "\\n\"}", "nobody signed");
}
