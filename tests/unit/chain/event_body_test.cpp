#include <doctest/doctest.h>

#include "chain/encoding.h"
#include "chain/event.h"
#include "chain/rng.h"

using namespace eventchain::chain;

namespace {

std::string random_text(Rng& rng, std::size_t size_max) {
  static const std::vector<std::string> kPieces = {
      "a", "Z", " ", "/", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\x8c", "0"};
  std::string text;
  for (std::uint64_t i = rng.below(size_max + 1); i > 0; --i)
    text += kPieces[rng.below(kPieces.size())];
  return text;
}

AttributeValue random_value(Rng& rng) {
  switch (rng.below(3)) {
    case 0:
      return rng.chance(1, 2);
    case 1:
      return static_cast<std::int32_t>(rng.next());
    default:
      return random_text(rng, 30);
  }
}

// Mostly valid, now and then not.
Event random_event(Rng& rng) {
  Event event;
  // One draw a statement: the order in which arguments are evaluated differs between compilers.
  const std::string id = random_text(rng, 20);
  event.set("id", rng.chance(1, 20) ? id : id + "i");
  event.set("source", "s" + random_text(rng, 20));
  if (!rng.chance(1, 20)) event.set("type", "t" + random_text(rng, 20));
  if (rng.chance(1, 3)) event.set("stream", "o" + random_text(rng, 20));
  if (rng.chance(1, 3)) event.set("subject", "u" + random_text(rng, 20));
  if (rng.chance(1, 3)) event.set("expectedversion", static_cast<std::int32_t>(rng.between(-2, 9)));
  if (rng.chance(1, 5)) event.set("time", "2025-01-31T12:00:00Z");
  for (std::uint64_t i = rng.below(5); i > 0; --i) {
    const std::string name = "x" + std::to_string(rng.below(100));
    event.set(name, random_value(rng));
  }
  event.data_kind = static_cast<DataKind>(rng.below(3));
  if (event.data_kind != DataKind::kNone) event.data = "{" + random_text(rng, 60) + "}";
  return event;
}

Salt random_salt(Rng& rng) {
  Salt salt;
  for (auto& octet : salt.octets) octet = static_cast<std::uint8_t>(rng.next());
  return salt;
}

// hold_event() must accept exactly what decode_body() and check_event() accept, and say the same.
void check_agreement(const Salt& salt, const Bytes& body) {
  const EventLimits limits;
  const auto decoded = decode_body(body);
  const auto held = hold_event(salt, body, limits);
  if (!decoded) {
    REQUIRE_FALSE(held);
    return;
  }
  REQUIRE(encode_body(*decoded) == body);
  const auto checked = check_event(*decoded, limits);
  REQUIRE(held.has_value() == checked.has_value());
  if (!checked) {
    REQUIRE(held.error().message == checked.error().message);
    REQUIRE(held.error().code == checked.error().code);
    return;
  }
  const EventFacts expected{event_key(decoded->source(), decoded->id()), commit(salt, body),
                            stream_key(decoded->stream()), decoded->expected_version(),
                            static_cast<std::uint32_t>(body.size())};
  REQUIRE(held->facts == expected);
  REQUIRE(held->salt == salt);
  REQUIRE(held->body == body);
}

Writer body_start(std::uint16_t attributes) {
  Writer writer;
  writer.header("ec:body").u16(attributes);
  return writer;
}

void check_malformed(const Bytes& body, std::string_view reason) {
  const auto decoded = decode_body(body);
  REQUIRE_FALSE(decoded);
  INFO("message: ", decoded.error().message);
  CHECK(decoded.error().code == ErrorCode::kMalformed);
  CHECK(decoded.error().message.find("event body: ") == 0);
  CHECK(decoded.error().message.find(reason) != std::string::npos);
  CHECK_FALSE(hold_event(Salt{}, body, EventLimits{}));
}

}  // namespace

TEST_CASE("an event comes back from its body, and its facts are those of the event") {
  const std::uint64_t seed = 51;
  INFO("seed ", seed);
  Rng rng(seed);
  int good = 0;
  for (int round = 0; round < 3000; ++round) {
    const Event event = random_event(rng);
    const Bytes body = encode_body(event);
    REQUIRE(decode_body(body).value() == event);
    check_agreement(random_salt(rng), body);
    if (check_event(event, EventLimits{})) ++good;
  }
  // Both outcomes must have been met, or this test says nothing.
  CHECK(good > 1000);
  CHECK(good < 2950);
}

TEST_CASE("a damaged body is refused or is another canonical body") {
  const std::uint64_t seed = 52;
  INFO("seed ", seed);
  Rng rng(seed);
  for (int round = 0; round < 8000; ++round) {
    Bytes body = encode_body(random_event(rng));
    for (std::uint64_t i = rng.below(3) + 1; i > 0; --i) {
      const std::size_t at = rng.below(body.size());
      switch (rng.below(3)) {
        case 0:
          body[at] = static_cast<char>(rng.next());
          break;
        case 1:
          body.erase(at, 1);
          break;
        default:
          body.insert(at, 1, static_cast<char>(rng.below(4)));
      }
    }
    check_agreement(Salt{}, body);
  }
}

TEST_CASE("every prefix of a body is refused") {
  Rng rng(53);
  for (int round = 0; round < 20; ++round) {
    const Bytes body = encode_body(random_event(rng));
    for (std::size_t size = 0; size < body.size(); ++size)
      REQUIRE_FALSE(decode_body(ByteView(body).substr(0, size)));
    REQUIRE_FALSE(decode_body(body + '\0'));
  }
}

TEST_CASE("only the canonical spelling is accepted") {
  check_malformed("", "ends too early");
  check_malformed(
      "\x02"
      "ec:body",
      "unknown version");
  check_malformed(
      "\x01"
      "ec:bodi",
      "wrong domain tag");
  check_malformed(body_start(1).sized8("a").u8(3).u32(0).u8(0).u32(0).take(),
                  "unknown kind of attribute value");
  check_malformed(body_start(1).sized8("a").u8(0).u8(2).u8(0).u32(0).take(), "neither 0 nor 1");
  check_malformed(body_start(2).sized8("b").u8(0).u8(1).sized8("a").u8(0).u8(1).u8(0).u32(0).take(),
                  "not sorted");
  check_malformed(body_start(2).sized8("a").u8(0).u8(1).sized8("a").u8(0).u8(1).u8(0).u32(0).take(),
                  "not sorted");
  check_malformed(body_start(0).u8(3).u32(0).take(), "unknown data kind");
  check_malformed(body_start(0).u8(0).sized32("x").take(), "data without a data kind");
  check_malformed(body_start(0).u8(2).sized32("x").raw("y").take(), "octets after its end");
}

TEST_CASE("claims of many attributes or much data are refused without room being made") {
  check_malformed(body_start(0xffff).raw(Bytes(400'000, '\0')).take(), "more items than allowed");
  check_malformed(body_start(64).take(), "ends too early");
  check_malformed(body_start(1).sized8("a").u8(2).u32(0xffffffff).take(), "over its limit");
  check_malformed(body_start(0).u8(2).u32(0xffffffff).take(), "over its limit");
}
