#include <doctest/doctest.h>

#include <vector>

#include "chain/rng.h"
#include "mining/process/messages.h"
#include "reference.h"

using namespace eventchain;
using namespace eventchain::mining;
using namespace eventchain::mining::process;

namespace {

constexpr std::size_t kLengthOctets = 4;

LendingReport some_report() {
  LendingReport report;
  report.state = LendingReport::State::kLends;
  report.reason = LendingReason::kCap;
  report.why = "lends up to 50 %";
  report.host = {.processors = 8, .cores = 4, .is_isolated = true};
  report.cap_percent = 50;
  report.threads = 4;
  report.may_lend = 0.5;
  report.lent = 0.25;
  report.others = 0.125;
  report.stolen = 0.000001;
  report.hash_rate = 1e9;
  report.hashes = 123'456'789'012;
  return report;
}

std::vector<Message> one_of_each() {
  chain::Rng rng(1);
  const WorkOrder order = reference::random_order(rng, 10);
  NodeHello hello;
  hello.chain = reference::random_octets<chain::ChainId>(rng);
  hello.work_function = 2;
  hello.feature_level = 3;
  OperatorWish wish;
  wish.pauses = true;
  wish.limit_percent = 20;
  return {hello,         MinerHello{},
          Refusal{"no"}, order,
          StopWork{},    wish,
          some_report(), ShareFound{order.template_hash, {0x0102030405060708, 0x090a0b0c}}};
}

chain::Bytes payload_of(const Message& message) {
  return encode_frame(message).substr(kLengthOctets);
}

std::string error_of(chain::ByteView payload) {
  const auto message = decode(payload);
  return message ? std::string("no error") : message.error().message;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

TEST_CASE("every message comes out as it went in, and none is larger than a frame may be") {
  for (const Message& message : one_of_each()) {
    INFO("message ", message.index());
    const chain::Bytes frame = encode_frame(message);
    CHECK(frame.size() <= kLengthOctets + kPayloadMax);
    const auto decoded = decode(payload_of(message));
    REQUIRE_MESSAGE(decoded.has_value(), decoded.error().message);
    CHECK(decoded->index() == message.index());
    CHECK(encode_frame(*decoded) == frame);
  }
  const auto wish = decode(payload_of(OperatorWish{}));
  REQUIRE(wish.has_value());
  CHECK(std::get<OperatorWish>(*wish) == OperatorWish{});
  chain::Rng rng(2);
  const WorkOrder order = reference::random_order(rng, 3);
  const auto taken = decode(payload_of(order));
  REQUIRE(taken.has_value());
  CHECK(std::get<WorkOrder>(*taken) == order);
}

TEST_CASE("what a report says arrives") {
  const auto decoded = decode(payload_of(some_report()));
  REQUIRE(decoded.has_value());
  const auto& report = std::get<LendingReport>(*decoded);
  CHECK(report.state == LendingReport::State::kLends);
  CHECK(report.reason == LendingReason::kCap);
  CHECK(report.why == "lends up to 50 %");
  CHECK(report.host.processors == 8);
  CHECK(report.host.cores == 4);
  CHECK(report.host.is_isolated);
  CHECK(report.cap_percent == 50);
  CHECK(report.threads == 4);
  CHECK(report.may_lend == 0.5);
  CHECK(report.lent == 0.25);
  CHECK(report.others == 0.125);
  CHECK(report.stolen == doctest::Approx(0.000001));
  CHECK(report.hash_rate == 1e9);
  CHECK(report.hashes == 123'456'789'012);
}

TEST_CASE("the octets are those of the specification") {
  const std::string tag = "eventchain-miner";
  NodeHello hello;
  hello.chain.octets.fill(0xab);
  hello.work_function = 1;
  hello.feature_level = 0x0102;
  CHECK(encode_frame(hello) == std::string("\x36\0\0\0\x01", 5) + tag + std::string("\x01\0", 2) +
                                   std::string(32, '\xab') + std::string("\x01\x02\x01", 3));
  CHECK(encode_frame(MinerHello{}) ==
        std::string("\x13\0\0\0\x02", 5) + tag + std::string("\x01\0", 2));
  CHECK(encode_frame(Refusal{"no"}) == std::string("\x05\0\0\0\x03\x02\0no", 9));
  CHECK(encode_frame(StopWork{}) == std::string("\x01\0\0\0\x05", 5));
  CHECK(encode_frame(OperatorWish{.pauses = true, .limit_percent = 20}) ==
        std::string("\x03\0\0\0\x06\x01\x14", 7));
  ShareFound share;
  share.template_hash.octets.fill(0xcd);
  share.nonce = {0x0102030405060708, 0x090a0b0c};
  CHECK(encode_frame(share) == std::string("\x2d\0\0\0\x07", 5) + std::string(32, '\xcd') +
                                   "\x08\x07\x06\x05\x04\x03\x02\x01\x0c\x0b\x0a\x09");
  LendingReport report;
  report.state = LendingReport::State::kStopped;
  report.reason = LendingReason::kPaused;
  report.host = {.processors = 2, .cores = 1, .is_isolated = true};
  report.cap_percent = 50;
  report.threads = 3;
  report.may_lend = 1;
  report.hash_rate = 258;
  report.hashes = 259;
  report.why = "x";
  CHECK(encode_frame(report) ==
        std::string("\x37\0\0\0\x08\x01\x01\x02\0\0\0\x01\0\0\0\x01\x32\0\0\0\x03\0\0\0"
                    "\x40\x42\x0f\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\x01\0\0\0\0\0\0\x03\x01\0\0\0\0\0\0"
                    "\x01\0x",
                    59));
  chain::Rng rng(3);
  const WorkOrder order = reference::random_order(rng, 3);
  const chain::Bytes header = chain::encode_header(order.header);
  const chain::Bytes frame = encode_frame(order);
  CHECK(frame.substr(4, 3) ==
        std::string("\x04") + static_cast<char>(header.size()) + static_cast<char>(0));
  CHECK(frame.substr(7, header.size()) == header);
  CHECK(frame.size() == 7 + header.size() + 2 + 32);
}

TEST_CASE("a hello of another version names both versions, whatever follows") {
  chain::Bytes hello = payload_of(MinerHello{});
  hello[17] = 9;
  CHECK(contains(error_of(hello), "version 9"));
  CHECK(contains(error_of(hello), "version 1"));
  CHECK(contains(error_of(hello + "more than this program knows"), "version 9"));
  hello[3] = '?';
  CHECK(contains(error_of(hello), "no hello"));
}

TEST_CASE("numbers without a meaning are refused") {
  chain::Bytes wish = payload_of(OperatorWish{});
  wish[2] = 101;
  CHECK(contains(error_of(wish), "100 percent"));
  chain::Bytes report = payload_of(some_report());
  report[1] = static_cast<char>(LendingReport::State::kNoProcess);
  CHECK(contains(error_of(report), "without a meaning"));
  report = payload_of(some_report());
  report[2] = static_cast<char>(kLendingReasons);
  CHECK(contains(error_of(report), "without a meaning"));
  report = payload_of(some_report());
  report[20] = '\x41';  // the first share: 1,000,001 millionths and more
  report[21] = '\x42';
  report[22] = '\x0f';
  CHECK(contains(error_of(report), "more than the whole"));
  CHECK(contains(error_of(std::string("\x09")), "unknown kind"));
  CHECK(contains(error_of(""), "ends too early"));
  CHECK(contains(error_of(std::string("\x03\x01\0\xff", 4)), "UTF-8"));
}

TEST_CASE("a sentence is cut between two characters and is UTF-8 always") {
  const auto why_of = [](const std::string& why) {
    const auto decoded = decode(payload_of(Refusal{why}));
    REQUIRE_MESSAGE(decoded.has_value(), decoded.error().message);
    return std::get<Refusal>(*decoded).why;
  };
  CHECK(why_of(std::string(kTextMax, 'x')) == std::string(kTextMax, 'x'));
  CHECK(why_of(std::string(2000, 'x')) == std::string(kTextMax, 'x'));
  CHECK(why_of(std::string(kTextMax - 1, 'x') + "\xc3\xa4") == std::string(kTextMax - 1, 'x'));
  CHECK(why_of("a\xff\xc3") == "a??");
}

TEST_CASE("mutated octets are refused or mean something that can be said again") {
  const std::vector<Message> messages = one_of_each();
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    CAPTURE(seed);
    chain::Rng rng(seed);
    chain::Bytes payload =
        payload_of(messages[static_cast<std::size_t>(rng.below(messages.size()))]);
    for (std::uint64_t i = 0, changes = 1 + rng.below(3); i < changes && !payload.empty(); ++i) {
      const auto at = static_cast<std::size_t>(rng.below(payload.size()));
      if (rng.below(4) == 0) {
        payload.resize(at);
      } else {
        payload[at] = static_cast<char>(reference::random_octet(rng));
      }
    }
    const auto first = decode(payload);
    if (!first) continue;
    const auto second = decode(payload_of(*first));
    REQUIRE(second.has_value());
    REQUIRE(encode_frame(*second) == encode_frame(*first));
  }
}

TEST_CASE("every message that is cut short is refused") {
  for (const Message& message : one_of_each()) {
    const chain::Bytes whole = payload_of(message);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CAPTURE(size);
      CHECK_FALSE(decode(whole.substr(0, size)).has_value());
    }
    CHECK_FALSE(decode(whole + '\0').has_value());
  }
}

TEST_CASE("frames come out whole wherever the stream is cut, and a wrong length at once") {
  chain::Bytes stream;
  std::vector<chain::Bytes> payloads;
  for (const Message& message : one_of_each()) {
    stream += encode_frame(message);
    payloads.push_back(payload_of(message));
  }
  for (const std::size_t piece :
       {std::size_t{1}, std::size_t{3}, std::size_t{100}, stream.size()}) {
    CAPTURE(piece);
    FrameReader reader;
    std::vector<chain::Bytes> got;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      reader.feed(chain::ByteView(stream).substr(at, piece));
      while (true) {
        auto payload = reader.next();
        REQUIRE(payload.has_value());
        if (!*payload) break;
        got.push_back(std::move(**payload));
      }
    }
    CHECK(got == payloads);
  }
  for (const std::string& length :
       {std::string(4, '\0'), std::string("\x01\x04\0\0", 4), std::string("\xff\xff\xff\xff", 4)}) {
    FrameReader reader;
    reader.feed(length);
    const auto payload = reader.next();
    REQUIRE_FALSE(payload.has_value());
    CHECK(payload.error().code == chain::ErrorCode::kTooLarge);
  }
}
