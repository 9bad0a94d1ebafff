#include "consensus/decision.h"

#include <doctest/doctest.h>

#include <limits>

#include "consensus/configuration.h"
#include "tests/unit/golden_file.h"

using namespace eventchain;
using namespace eventchain::consensus;

namespace {

chain::BlockId block(std::uint8_t number) {
  chain::BlockId id;
  id.octets[0] = number;
  return id;
}

chain::SealedHeader decided(std::uint64_t height, const chain::BlockId& parent) {
  chain::SealedHeader sealed;
  sealed.header.height = chain::Height{height};
  sealed.header.parent = parent;
  sealed.header.share_target = chain::CompactTarget{0x1f010000};
  return sealed;
}

}  // namespace

TEST_CASE("a decision is judged by height and parent alone") {
  const chain::Height tip{5};
  CHECK(judge(decided(6, block(5)), tip, block(5)) == Judgement::kExtends);
  CHECK(judge(decided(6, block(4)), tip, block(5)) == Judgement::kStale);
  CHECK(judge(decided(5, block(4)), tip, block(5)) == Judgement::kRepeated);
  CHECK(judge(decided(5, block(9)), tip, block(5)) == Judgement::kRepeated);
  CHECK(judge(decided(1, block(0)), tip, block(5)) == Judgement::kRepeated);
  CHECK(judge(decided(7, block(6)), tip, block(5)) == Judgement::kAhead);
}

TEST_CASE("a second decision for a height changes nothing on any node") {
  // Two leaders sealed a block on the same parent; Raft ordered both. The first one committed is
  // the tip by the time that the second is judged, so every node gives the same verdict.
  const auto first = decided(6, block(5));
  const auto second = decided(6, block(5));
  CHECK(judge(first, chain::Height{5}, block(5)) == Judgement::kExtends);
  CHECK(judge(second, chain::Height{6}, block(6)) == Judgement::kRepeated);
}

TEST_CASE("a decision survives its journey through the log, and nothing else decodes") {
  const auto sealed = decided(6, block(5));
  Entry entry{Term{1}, EntryKind::kCommand, encode_decision(sealed)};
  REQUIRE(decode_decision(entry).has_value());
  CHECK(*decode_decision(entry) == sealed);
  for (std::size_t cut = 0; cut < entry.payload.size(); ++cut) {
    Entry shortened = entry;
    shortened.payload.resize(cut);
    CHECK_FALSE(decode_decision(shortened).has_value());
  }
  entry.payload.push_back('\0');
  CHECK_FALSE(decode_decision(entry).has_value());
}

TEST_CASE("a chain point has one spelling") {
  const ChainPoint point{chain::Height{0x0102030405060708}, block(7)};
  const Bytes bytes = encode_chain_point(point);
  REQUIRE(decode_chain_point(bytes).has_value());
  CHECK(*decode_chain_point(bytes) == point);
  CHECK_FALSE(decode_chain_point(bytes + '\0').has_value());
  CHECK_FALSE(decode_chain_point(chain::ByteView(bytes).substr(1)).has_value());
  Bytes other_version = bytes;
  other_version[0] = 2;
  CHECK_FALSE(decode_chain_point(other_version).has_value());
}

// A log outlives the program that wrote it, and during an upgrade it is read by two versions.
TEST_CASE("payloads of Raft's log and snapshot are spelled as the golden ones and read back") {
  const auto golden = [](const char* name) {
    return *chain::from_hex(golden_value("consensus/golden_entries.txt", name));
  };
  // Of the block in chain's golden vectors.
  const auto of_chain = [](const char* name) {
    return *chain::from_hex(golden_value("chain/golden_vectors.txt", name));
  };
  const chain::SealedHeader sealed{*chain::decode_header(of_chain("header")),
                                   *chain::decode_seal(of_chain("seal"))};
  CHECK(encode_decision(sealed) == golden("decision"));
  const Entry decision{Term{1}, EntryKind::kCommand, golden("decision")};
  REQUIRE(decode_decision(decision).has_value());
  CHECK(*decode_decision(decision) == sealed);

  const Configuration configuration = {
      {ServerId{1}, Suffrage::kVoter},
      {ServerId{300}, Suffrage::kStandby},
      {ServerId{std::numeric_limits<std::uint64_t>::max()}, Suffrage::kSpare}};
  CHECK(encode_configuration(configuration) == golden("configuration"));
  REQUIRE(decode_configuration(golden("configuration")).has_value());
  CHECK(*decode_configuration(golden("configuration")) == configuration);

  const ChainPoint point{chain::Height{7}, *chain::BlockId::from(of_chain("block-id"))};
  CHECK(encode_chain_point(point) == golden("chain-point"));
  REQUIRE(decode_chain_point(golden("chain-point")).has_value());
  CHECK(*decode_chain_point(golden("chain-point")) == point);
}
