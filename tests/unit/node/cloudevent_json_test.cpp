#include "node/api/cloudevent_json.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "chain/rng.h"

using namespace eventchain;
using namespace eventchain::node::api;
using chain::ErrorCode;

namespace {

chain::Result<chain::Event> read(std::string_view json, chain::EventLimits limits = {}) {
  chain::Event event;
  auto done = parse_event(json, limits, [&](const chain::Event& parsed) -> chain::Result<void> {
    event = parsed;
    return {};
  });
  if (!done) return tl::unexpected<chain::Error>(std::move(done.error()));
  return event;
}

chain::Result<std::vector<chain::Event>> read_batch(std::string_view json) {
  std::vector<chain::Event> events;
  auto done = parse_batch(json, {}, [&](const chain::Event& parsed) -> chain::Result<void> {
    events.push_back(parsed);
    return {};
  });
  if (!done) return tl::unexpected<chain::Error>(std::move(done.error()));
  return events;
}

std::string write(const chain::Event& event) {
  JsonText out;
  append_event(out, event);
  return out.take();
}

// An event with `rest` behind its required members.
std::string event_with(std::string_view rest) {
  return fmt::format(R"({{"specversion":"1.0","id":"1","source":"/s","type":"t"{}{}}})",
                     rest.empty() ? "" : ",", rest);
}

std::string nested(std::size_t levels) {
  return std::string(levels, '[') + "1" + std::string(levels, ']');
}

}  // namespace

TEST_CASE("data is kept byte for byte whatever JSON it is") {
  const char* const values[] = {
      R"({"b": 1,  "a":[ 1.50, 1e2 , -0 ]})",
      "{ \"x\"\n:\t\"}]\\\"\" }",
      R"("a string with \" and \\ and \u00e9")",
      R"("\\")",
      "\"plain\"",
      "0",
      "-12.5E-3",
      "18446744073709551616",
      "true",
      "false",
      "null",
      "{}",
      "[]",
      "[{},[[]],\"]\"]",
      "\"\xc3\xa9\xf0\x9f\x98\x80\"",
  };
  for (const char* value : values) {
    CAPTURE(value);
    for (const char* pattern :
         {R"("data":{})", R"("data" : {} , "subject":"x")", "\"data\"\n:\r\n{}\n"}) {
      const auto event = read(event_with(fmt::format(fmt::runtime(pattern), value)));
      REQUIRE_MESSAGE(event.has_value(), event.error().message);
      CHECK(event->data_kind == chain::DataKind::kJson);
      CHECK(event->data == value);
      CHECK(chain::check_event(*event, {}).has_value());
      const auto again = read(write(*event));
      REQUIRE(again.has_value());
      CHECK(*again == *event);
    }
  }
}

TEST_CASE("attributes are strings, booleans and 32-bit integers; null is absent") {
  const auto event = read(event_with(
      R"("flag":true,"most":2147483647,"least":-2147483648,"esc":"a\"\u00e9\ud83d\ude00","none":null,"time":"2025-01-31T12:00:00Z")"));
  REQUIRE_MESSAGE(event.has_value(), event.error().message);
  CHECK(*event->find("flag") == chain::AttributeValue(true));
  CHECK(*event->find("most") == chain::AttributeValue(2147483647));
  CHECK(*event->find("least") == chain::AttributeValue(std::numeric_limits<std::int32_t>::min()));
  CHECK(event->text("esc") == "a\"\xc3\xa9\xf0\x9f\x98\x80");
  CHECK(event->find("none") == nullptr);
  CHECK(event->data_kind == chain::DataKind::kNone);
  CHECK(event->find("specversion") == nullptr);
  CHECK(*read(write(*event)) == *event);
}

TEST_CASE("binary data goes out as the base64 it came in") {
  const auto event = read(event_with(R"("data_base64":"AP8Q")"));
  REQUIRE(event.has_value());
  CHECK(event->data_kind == chain::DataKind::kBinary);
  CHECK(event->data == std::string("\x00\xff\x10", 3));
  CHECK(write(*event).find(R"("data_base64":"AP8Q")") != std::string::npos);
}

TEST_CASE("what two readers could read differently, or no reader should, is refused") {
  struct Case {
    std::string json;
    ErrorCode code;
    const char* says;
  };
  const Case cases[] = {
      // Not JSON.
      {"", ErrorCode::kMalformed, "ends too early"},
      {"{", ErrorCode::kMalformed, "ends too early"},
      {event_with("") + "x", ErrorCode::kMalformed, "octet"},
      {event_with("") + event_with(""), ErrorCode::kMalformed, "octet"},
      {"\xef\xbb\xbf" + event_with(""), ErrorCode::kMalformed, "octet 0"},
      {event_with(R"("data":{"a":1,})"), ErrorCode::kMalformed, "octet"},
      {event_with(R"("data":{'a':1})"), ErrorCode::kMalformed, "octet"},
      {event_with(R"("data":NaN)"), ErrorCode::kMalformed, "octet"},
      {event_with(R"("data":Infinity)"), ErrorCode::kMalformed, "octet"},
      {event_with(R"("data":01)"), ErrorCode::kMalformed, "octet"},
      {event_with(R"("data":1.)"), ErrorCode::kMalformed, "octet"},
      {event_with(R"("data":/* no */1)"), ErrorCode::kMalformed, "octet"},
      {event_with("\"data\":\"\x01\""), ErrorCode::kMalformed, "octet"},
      {event_with("\"data\":\"\n\""), ErrorCode::kMalformed, "octet"},
      {event_with(R"("data":)"), ErrorCode::kMalformed, "octet"},
      // Not UTF-8: cut off, overlong, surrogates, beyond Unicode.
      {event_with("\"data\":\"\xc3\""), ErrorCode::kMalformed, "octet"},
      {event_with("\"data\":\"\xc0\xaf\""), ErrorCode::kMalformed, "octet"},
      {event_with("\"data\":\"\xed\xa0\x80\""), ErrorCode::kMalformed, "octet"},
      {event_with("\"data\":\"\xf5\x80\x80\x80\""), ErrorCode::kMalformed, "octet"},
      {event_with(R"("data":"\ud800")"), ErrorCode::kMalformed, "octet"},
      {event_with(R"("data":"\udc00\ud800")"), ErrorCode::kMalformed, "octet"},
      // Numbers no reader can hold.
      {event_with(R"("data":1e999)"), ErrorCode::kMalformed, "range of a double"},
      {event_with(R"("data":[-1e400])"), ErrorCode::kMalformed, "range of a double"},
      {event_with(R"("data":1e99999999999)"), ErrorCode::kMalformed, "octet"},
      // Depth and duplicates.
      {event_with(R"("data":)" + nested(32)), ErrorCode::kMalformed, "deeper than 32"},
      {event_with(R"("data":)" + nested(100'000)), ErrorCode::kMalformed, "deeper than 32"},
      {event_with(R"("id":"2")"), ErrorCode::kMalformed, "'id' occurs twice"},
      {event_with(R"("specversion":"1.0")"), ErrorCode::kMalformed, "'specversion' occurs twice"},
      {event_with(R"("data":1,"data":2)"), ErrorCode::kMalformed, "more than one 'data'"},
      {event_with(R"("data":1,"data_base64":"")"), ErrorCode::kMalformed, "more than one"},
      {event_with(R"("data_base64":"","data":1)"), ErrorCode::kMalformed, "more than one"},
      {event_with(R"("data":{"a":1,"b":2,"a":3})"), ErrorCode::kMalformed, "'a' twice"},
      {event_with(R"("data":[{"x":{"a":1,"\u0061":3}}])"), ErrorCode::kMalformed, "'a' twice"},
      {event_with(R"("d\u0061ta":1)"), ErrorCode::kMalformed, "escapes"},
      // Not an event.
      {"[]", ErrorCode::kMalformed, "an event is a JSON object"},
      {"[" + event_with("") + "]", ErrorCode::kMalformed, "an event is a JSON object"},
      {"1", ErrorCode::kMalformed, "an event is a JSON object"},
      {"\"x\"", ErrorCode::kMalformed, "an event is a JSON object"},
      {"null", ErrorCode::kMalformed, "an event is a JSON object"},
      {"{}", ErrorCode::kInvalid, "'specversion' is missing"},
      {R"({"specversion":"0.3"})", ErrorCode::kInvalid, "'specversion' must be"},
      {R"({"specversion":1.0})", ErrorCode::kInvalid, "'specversion' must be"},
      {R"({"specversion":null})", ErrorCode::kInvalid, "'specversion' must be"},
      {event_with(R"("data_base64":"A")"), ErrorCode::kInvalid, "base64"},
      {event_with(R"("data_base64":7)"), ErrorCode::kInvalid, "'data_base64' must be a string"},
      {event_with(R"("ext":{"a":1})"), ErrorCode::kInvalid, "attribute 'ext' must be"},
      {event_with(R"("ext":[1])"), ErrorCode::kInvalid, "attribute 'ext' must be"},
      {event_with(R"("ext":1.5)"), ErrorCode::kInvalid, "attribute 'ext' must be"},
      {event_with(R"("ext":1.0)"), ErrorCode::kInvalid, "attribute 'ext' must be"},
      {event_with(R"("ext":2147483648)"), ErrorCode::kInvalid, "beyond 32 bits"},
      {event_with(R"("ext":-2147483649)"), ErrorCode::kInvalid, "beyond 32 bits"},
      {event_with(R"("ext":18446744073709551615)"), ErrorCode::kInvalid, "beyond 32 bits"},
      {event_with(R"("anattributewithalongname":1)"), ErrorCode::kInvalid, "bad name"},
      {event_with(R"("":1)"), ErrorCode::kInvalid, "bad name"},
  };
  for (const Case& one : cases) {
    const std::string shown = one.json.substr(0, 200);
    CAPTURE(shown);
    const auto event = read(one.json);
    REQUIRE_FALSE(event.has_value());
    CHECK(event.error().code == one.code);
    CAPTURE(event.error().message);
    CHECK(event.error().message.find(one.says) != std::string::npos);
  }
}

TEST_CASE("the deepest data that is allowed is taken") {
  CHECK(read(event_with(R"("data":)" + nested(31))).has_value());
}

TEST_CASE("the same name in different objects is no duplicate") {
  CHECK(read(event_with(R"("data":{"a":{"a":1},"b":[{"a":1},{"a":2}],"id":3})")).has_value());
}

TEST_CASE("data over the limit is refused before it is looked into") {
  chain::EventLimits limits;
  limits.body_bytes_max = 100;
  const auto event = read(event_with("\"data\":\"" + std::string(200, 'x')), limits);
  REQUIRE_FALSE(event.has_value());
  CHECK(event.error().code == ErrorCode::kTooLarge);
}

TEST_CASE("more attributes than allowed are refused while they are read") {
  std::string rest;
  for (int i = 0; i < 100; ++i) rest += fmt::format("{}\"a{}\":1", i == 0 ? "" : ",", i);
  const auto event = read(event_with(rest));
  REQUIRE_FALSE(event.has_value());
  CHECK(event.error().code == ErrorCode::kTooLarge);
}

TEST_CASE("a batch is an array of events, and an error names the event") {
  const auto events =
      read_batch(" [" + event_with("") + " ,\n" + event_with(R"("data":[2])") + "] ");
  REQUIRE(events.has_value());
  REQUIRE(events->size() == 2);
  CHECK(events->at(0).data.empty());
  CHECK(events->at(1).data == "[2]");

  const auto broken = read_batch("[" + event_with("") + "," + event_with(R"("x":1.5)") + "]");
  REQUIRE_FALSE(broken.has_value());
  CHECK(broken.error().message.find("event 1 of the batch: attribute 'x'") == 0);

  for (const std::string& bad :
       {std::string("[]"), event_with(""), "[" + event_with("") + ",]", std::string("[[]]"),
        "[" + event_with("") + ",1]", "[" + event_with("") + ",null]", std::string("[{}]"),
        "[[" + event_with("") + "]]"})
    CHECK_FALSE(read_batch(bad).has_value());
}

TEST_CASE("a batch holds at most ten thousand events") {
  std::string json = "[";
  for (int i = 0; i < 10'000; ++i) json += event_with("") + ",";
  json.back() = ']';
  REQUIRE(read_batch(json).has_value());
  json.back() = ',';
  json += event_with("") + "]";
  const auto events = read_batch(json);
  REQUIRE_FALSE(events.has_value());
  CHECK(events.error().code == ErrorCode::kTooLarge);
}

TEST_CASE("damaged events never parse into something that is not an event") {
  const std::string good = event_with(R"("data":{"a":[1,"x",{"b":null}]},"subject":"s\u00e9")");
  const std::uint64_t seed = 7;
  INFO("seed ", seed);
  chain::Rng rng(seed);
  for (int round = 0; round < 20'000; ++round) {
    std::string json = good;
    for (std::uint64_t hits = 1 + rng.below(3); hits > 0; --hits) {
      const std::size_t at = rng.below(json.size());
      if (rng.chance(1, 3))
        json.erase(at, 1);
      else if (rng.chance(1, 2))
        json[at] = static_cast<char>(rng.below(256));
      else
        json.insert(at, 1, "\"{}[],:\\ue0"[rng.below(11)]);
    }
    const auto event = read(json);
    if (!event) continue;
    if (event->data_kind == chain::DataKind::kJson) CHECK(check_json(event->data).has_value());
    CHECK(event->attributes.size() <= chain::EventLimits::kAttributesMax);
    const auto again = read(write(*event));
    if (chain::check_event(*event, {})) {
      REQUIRE(again.has_value());
      CHECK(*again == *event);
    }
  }
}

TEST_CASE("times are written in UTC with milliseconds") {
  CHECK(rfc3339(chain::UnixMillis{0}) == "1970-01-01T00:00:00.000Z");
  CHECK(rfc3339(chain::UnixMillis{1738324800123}) == "2025-01-31T12:00:00.123Z");
  CHECK(rfc3339(chain::UnixMillis{-1}) == "1969-12-31T23:59:59.999Z");
}
