#include "node/api/receipt_json.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "chain/base64.h"
#include "node/genesis_json.h"
#include "tests/unit/receipt_chain.h"

using namespace receipt_test;
using eventchain::node::format_genesis;
using eventchain::node::api::format_receipt;
using eventchain::node::api::kReceiptBytesMax;
using eventchain::node::api::parse_receipt;

namespace {

const ReceiptChain& grown() {
  static const ReceiptChain chain = receipt_chain();
  return chain;
}

std::string text_of(const Receipt& receipt) {
  auto text = format_receipt(receipt);
  REQUIRE_MESSAGE(text.has_value(), text.error().message);
  return std::move(*text);
}

// To the newest log, whatever the receipt's block.
Receipt with_consistency(Receipt receipt) {
  const std::uint64_t size = grown().state.log.size();
  receipt.consistency = LogConsistency{
      size, consistency_proof(receipt.block.header.log_size, size, grown().tree_reader()).value()};
  return receipt;
}

bool is_proved(const Receipt& receipt) {
  return verify_receipt(receipt, {grown().state.genesis, nullptr, std::nullopt}).is_proved();
}

// The text with the first `from` replaced.
std::string edited(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  return text.replace(at, from.size(), to);
}

// The file says what the program writes now. EVENTCHAIN_WRITE_GOLDEN=1 writes one that is missing.
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

Receipt without_body(Receipt receipt) {
  receipt.shown.reset();
  return receipt;
}

}  // namespace

TEST_CASE("every receipt comes back from its text, and proves as much") {
  std::vector<Receipt> receipts = grown().all();
  receipts.push_back(without_body(grown().of_event(7, 0)));
  receipts.push_back(with_consistency(grown().of_event(2, 0)));
  for (const Receipt& receipt : receipts) {
    const std::string text = text_of(receipt);
    const auto again = parse_receipt(text);
    REQUIRE_MESSAGE(again.has_value(), again.error().message);
    CHECK(text_of(*again) == text);
    CHECK(again->what == receipt.what);
    CHECK(again->shown == receipt.shown);
    CHECK(again->block == receipt.block);
    CHECK(again->newer == receipt.newer);
    CHECK(again->certificate == receipt.certificate);
    CHECK(again->voters == receipt.voters);
    CHECK(again->consistency == receipt.consistency);
    CHECK(is_proved(*again));
  }
}

TEST_CASE("numbers of every size come back") {
  Receipt receipt = grown().of_event(9, 0);
  receipt.block.header.height.value = ~std::uint64_t{0};
  receipt.block.header.started.value = std::numeric_limits<std::int64_t>::min();
  receipt.block.seal.sealed_at.value = std::numeric_limits<std::int64_t>::max();
  receipt.block.header.share_count = 0xffff;
  receipt.newer->path.at(0).work = U256::max();
  receipt.certificate.at(0).slot.value = 0xffff;
  const auto again = parse_receipt(text_of(receipt));
  REQUIRE_MESSAGE(again.has_value(), again.error().message);
  CHECK(again->block == receipt.block);
  CHECK(again->newer == receipt.newer);
  CHECK(again->certificate == receipt.certificate);
}

TEST_CASE("the golden receipts are written octet by octet as they were") {
  check_golden("genesis.json", format_genesis(grown().state.genesis));
  check_golden("event.json", text_of(grown().of_event(1, 1)) + "\n");
  check_golden("event-newer.json", text_of(grown().of_event(9, 1)) + "\n");
  check_golden("event-without-body.json", text_of(without_body(grown().of_event(5, 2))) + "\n");
  check_golden("event-consistency.json", text_of(with_consistency(grown().of_event(2, 0))) + "\n");
  check_golden("block.json", text_of(grown().of_block(5)) + "\n");
  check_golden("rejection.json", text_of(grown().of_rejection(2, 1)) + "\n");
  const LogTree& log = grown().state.log;
  check_golden("checkpoint.txt", log_origin(grown().state.chain) + "\n" +
                                     std::to_string(log.size()) + "\n" +
                                     to_base64(log.root().view()) + "\n");
}

TEST_CASE("what is spelled in another way, missing or too much is refused by name") {
  const std::string event = text_of(grown().of_event(9, 1));
  const std::string rejection = text_of(grown().of_rejection(2, 1));
  const std::string consistency = text_of(with_consistency(grown().of_event(2, 0)));
  const std::string slot = "{\"slot\":1,";
  struct Case {
    std::string text;
    std::string said;
  };
  const std::vector<Case> cases = {
      {edited(event, "eventchain-receipt", "receipt"), "format must be eventchain-receipt"},
      {edited(event, "\"version\":1", "\"version\":2"), "version must be 1"},
      {edited(event, "\"version\":1", "\"version\":\"1\""), "version must be an integer"},
      {edited(event, "\"version\":1,", ""), "version is missing"},
      {edited(event, "\"version\":1", "\"version\":1,\"version\":1"), "version"},
      {edited(event, "\"version\":1", "\"version\":1,\"note\":0"), "unknown member"},
      {edited(event, "\"salt\":\"", "\"salt\":\"0"), "salt must be 64 lower-case hex digits"},
      {edited(event, "\"body\":\"", "\"body\":\"="), "receipt.event.body must be base64"},
      {edited(event, "\"body\":\"", "\"nobody\":\""), "body is missing"},
      {edited(event, "\"position\":\"", "\"position\":\"0"), "position must be a string with"},
      {edited(event, "\"position\":\"", "\"position\":\"-"), "position must be a string with"},
      {edited(event, "\"position\":\"", "\"position\":\"18446744073709551616"), "position must"},
      {edited(event, "\"position\":\"16\"", "\"position\":16"), "position must be a string"},
      {edited(event, "\"entry\":", "\"rejection\":"), "receipt.rejection"},
      {edited(event, "\"entry\":", "\"rejection\":{},\"entry\":"), "either entry or rejection"},
      {edited(event, "\"started_ms\":\"", "\"started_ms\":\"+"), "started_ms must be a string"},
      {edited(event, "\"share_target\":\"", "\"share_target\":\"00"), "share_target must be"},
      {edited(event, "\"share_count\":3", "\"share_count\":65536"), "share_count must be"},
      {edited(event, "\"shares\":[\"", "\"shares\":[\"0"), "receipt.block.shares[0] must be 24"},
      {edited(event, "\"shares\":[\"", "\"shares\":[7,\""), "receipt.block.shares[0] must be 24"},
      {edited(event, "\"work\":\"", "\"work\":\"0"), "work must be a string"},
      {edited(event, "\"work\":\"", "\"work\":\"" + std::string(77, '9')), "work must be"},
      {edited(event, "\"newer\":{", "\"newer\":[],\"older\":{"), "unknown member"},
      {edited(event, "\"newer\":{", "\"newer\":{\"why\":0,"), "receipt.newer: unknown member"},
      {edited(event, slot, "{\"slot\":65536,"), "receipt.certificate[0]: slot must be"},
      {edited(event, slot, "{\"slot\":-1,"), "receipt.certificate[0]: slot must be"},
      {edited(event, "\"annex\":[\"", "\"annex\":[\"AAAA\",\""), "receipt.voters[0].annex[0]"},
      {edited(event, "\"voters\":[", "\"voters\":[null,"), "receipt.voters[0]: must be an object"},
      {edited(event, "\"member_sets\":[\"", "\"member_sets\":[\"AAAA\",\""),
       "receipt.member_sets[0]"},
      {edited(event, "\"member_sets\":[", "\"member_sets\":0,\"x\":["), "unknown member"},
      {edited(rejection, "\"reason\":\"key-conflict\"", "\"reason\":\"dislike\""),
       "reason must be version-conflict"},
      {edited(rejection, "\"side\":\"left\"", "\"side\":\"top\""), "side must be left or right"},
      {edited(rejection, "\"stream_version\":\"", "\"stream_version\":\"-0"),
       "stream_version must"},
      {edited(consistency, "\"size\":\"", "\"size\":\" "), "size must be a string"},
      {edited(consistency, "\"consistency\":{", "\"consistency\":[{"), "no JSON at octet"},
      {"", "ends too early"},
      {"[]", "must be an object"},
      {std::string(100, '['), ""},
      {event + event, "something follows"},
  };
  for (const Case& one : cases) {
    const auto receipt = parse_receipt(one.text);
    INFO(one.said);
    REQUIRE_FALSE(receipt.has_value());
    CHECK_MESSAGE(receipt.error().message.find(one.said) != std::string::npos,
                  receipt.error().message);
  }
}

TEST_CASE("lists that no receipt has, and files that none is, are refused before they are read") {
  const auto with_list = [](const std::string& name, const std::string& item, std::size_t count) {
    std::string list = item;
    for (std::size_t i = 1; i < count; ++i) list += "," + item;
    const std::string text = text_of(grown().of_event(9, 1));
    return parse_receipt(edited(text, "\"" + name + "\":[", "\"" + name + "\":[" + list + ","));
  };
  const std::string hash = "\"" + std::string(64, '0') + "\"";
  for (const auto& receipt :
       {with_list("path", hash, 64), with_list("shares", "\"" + std::string(24, '0') + "\"", 256),
        with_list("certificate", "{}", 8), with_list("voters", "{}", 4096),
        with_list("annex", "\"\"", 4096), with_list("member_sets", "\"\"", 4098)}) {
    REQUIRE_FALSE(receipt.has_value());
    CHECK(receipt.error().code == ErrorCode::kTooLarge);
  }
  const auto huge = parse_receipt(std::string(kReceiptBytesMax + 1, ' '));
  REQUIRE_FALSE(huge.has_value());
  CHECK(huge.error().code == ErrorCode::kTooLarge);
}

TEST_CASE("a receipt that is cut anywhere is refused") {
  for (const Receipt& receipt : {grown().of_event(9, 1), grown().of_rejection(2, 1),
                                 with_consistency(grown().of_event(2, 0))}) {
    const std::string text = text_of(receipt);
    for (std::size_t size = 0; size < text.size(); ++size)
      REQUIRE_FALSE(parse_receipt(std::string_view(text).substr(0, size)).has_value());
  }
}

TEST_CASE("every octet of a receipt's file that is changed is caught") {
  std::size_t tried = 0;
  for (const Receipt& receipt :
       {grown().of_event(9, 1), grown().of_rejection(2, 1), grown().of_event(1, 0)}) {
    std::string text = text_of(receipt);
    for (std::size_t at = 0; at < text.size(); ++at) {
      for (const char mask : {'\x01', '\x20'}) {
        const char was = text[at];
        text[at] = static_cast<char>(was ^ mask);
        const auto changed = parse_receipt(text);
        const bool is_caught = !changed.has_value() || !is_proved(*changed);
        INFO("octet ", at, " of ", text.size(), ", ", was, " became ", text[at]);
        REQUIRE(is_caught);
        text[at] = was;
        ++tried;
      }
    }
  }
  REQUIRE(tried > 20'000);
}
