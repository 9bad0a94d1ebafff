#include "node/api/work_proof_json.h"

#include <doctest/doctest.h>

#include "tests/unit/worked_chain.h"

using namespace work_test;

namespace {

namespace api = eventchain::node::api;

const WorkedChain& grown() {
  static const WorkedChain chain = [] {
    WorkedChain made(receipt_genesis());
    made.grow(40);
    return made;
  }();
  return chain;
}

const std::string& text() {
  static const std::string made =
      api::format_work_proof(grown().proof({WorkShare::kHalf, 2, 3})).value();
  return made;
}

std::string with(const std::string& from, const std::string& to) {
  std::string changed = text();
  const std::size_t at = changed.find(from);
  REQUIRE(at != std::string::npos);
  return changed.replace(at, from.size(), to);
}

std::string refusal(const std::string& changed) {
  const auto proof = api::parse_work_proof(changed);
  return proof ? std::string() : proof.error().message;
}

bool contains(const std::string& whole, std::string_view part) {
  return whole.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a work proof comes back from its text, and proves as much") {
  for (const WorkShare share :
       {WorkShare::kHalf, WorkShare::kThreeQuarters, WorkShare::kNineTenths}) {
    const WorkProof proof = grown().proof({share, 2, 3});
    const auto written = api::format_work_proof(proof);
    REQUIRE(written);
    const auto read = api::parse_work_proof(*written);
    REQUIRE_MESSAGE(read, read.error().message);
    CHECK(read->head.block == proof.head.block);
    CHECK(read->head.certificate == proof.head.certificate);
    CHECK(read->sampling == proof.sampling);
    CHECK(read->blocks == proof.blocks);
    CHECK(read->nodes == proof.nodes);
    CHECK(api::format_work_proof(*read).value() == *written);
    CHECK(grown().verify(*read).is_proved());
  }
}

TEST_CASE(
    "what is spelled in another way, missing or too much in a work proof is refused by name") {
  CHECK(contains(refusal("[]"), "work proof"));
  CHECK(contains(refusal(with("eventchain-work-proof", "eventchain-receipt")), "format"));
  CHECK(contains(refusal(with("\"version\":1", "\"version\":2")), "version"));
  CHECK(contains(refusal(with("\"percent\":50", "\"percent\":51")), "percent"));
  CHECK(contains(refusal(with("\"bits\":2", "\"bits\":\"2\"")), "bits"));
  CHECK(contains(refusal(with("\"bits\":2", "\"bits\":65538")), "bits"));
  CHECK(contains(refusal(with("\"last\":3", "\"first\":3")), "last"));
  CHECK(contains(refusal(with("\"nodes\":[\"", "\"nodes\":[\"A")), "work proof.nodes[0]"));
  CHECK(contains(refusal(with("\"nodes\":[\"", "\"nodes\":[7,\"")), "work proof.nodes[0]"));
  CHECK(
      contains(refusal(with("\"blocks\":[\"", "\"blocks\":[\"AAAA\",\"")), "work proof.blocks[0]"));
  CHECK(contains(refusal(with("\"blocks\":[", "\"blocks\":7,\"more\":[")), "more"));
  CHECK(contains(refusal(with("\"head\":{", "\"head\":{\"entry\":{},")), "work proof.head"));
  CHECK(contains(refusal(with("\"head\":{", "\"head\":{\"what\":{},")), "work proof.head"));
  CHECK(contains(refusal(text() + " x"), "work proof"));
  CHECK(contains(refusal(std::string(api::kWorkProofBytesMax + 1, ' ')), "octets"));
  for (std::size_t size = 0; size < text().size(); size += 7)
    REQUIRE_FALSE(refusal(text().substr(0, size)).empty());
}

TEST_CASE("every octet of a work proof's file that is changed is caught") {
  std::size_t parsed = 0;
  for (std::size_t at = 0; at < text().size(); ++at) {
    std::string changed = text();
    // A letter or digit becomes another one: most of them are part of a value.
    char& octet = changed[at];
    octet = octet == 'b' ? 'c' : octet == '1' ? '2' : octet >= '0' && octet <= '9' ? '1' : 'b';
    const auto proof = api::parse_work_proof(changed);
    if (!proof) continue;
    ++parsed;
    if (grown().verify(*proof).failed() != nullptr) continue;
    // With other parameters it may happen to be the proof that these ask for.
    if (api::format_work_proof(grown().proof(proof->sampling)).value() != changed)
      FAIL_CHECK("octet ", at, " of ", text().size(), " was not caught");
  }
  REQUIRE(parsed > text().size() / 2);
}
