#include "chain/event.h"

#include <doctest/doctest.h>

#include "chain/encoding.h"
#include "chain/hash.h"
#include "golden_vectors.h"

using namespace eventchain::chain;

namespace {

Event order_placed() {
  Event event;
  event.set("id", "order-1/1");
  event.set("source", "/shop/eu");
  event.set("type", "order.placed");
  event.set("stream", "order-1");
  event.set("expectedversion", -1);
  event.set("urgent", true);
  event.data_kind = DataKind::kJson;
  event.data = R"({"total": 3})";
  return event;
}

Salt golden_salt() {
  Salt salt;
  for (std::size_t i = 0; i < 32; ++i) salt.octets[i] = static_cast<std::uint8_t>(i);
  return salt;
}

Event with(std::string name, AttributeValue value) {
  Event event = order_placed();
  event.set(std::move(name), std::move(value));
  return event;
}

Event without(std::string_view name) {
  Event event = order_placed();
  std::erase_if(event.attributes, [&](const Attribute& one) { return one.name == name; });
  return event;
}

std::string text(std::string value) {
  return value;
}

// Refused by check_event() and, as a body, by hold_event() with the same words. The words must
// name the thing and the remedy.
void check_refused(const Event& event, std::string_view thing, std::string_view remedy) {
  const auto checked = check_event(event, EventLimits{});
  REQUIRE_FALSE(checked);
  INFO("message: ", checked.error().message);
  CHECK(checked.error().message.find(thing) != std::string::npos);
  CHECK(checked.error().message.find(remedy) != std::string::npos);
  if (event.attributes.size() > EventLimits::kAttributesMax) return;
  for (const Attribute& attribute : event.attributes)
    if (attribute.name.size() > 255) return;
  const Bytes body = encode_body(event);
  const auto held = hold_event(golden_salt(), body, EventLimits{});
  REQUIRE_FALSE(held);
  if (decode_body(body)) CHECK(held.error().message == checked.error().message);
}

}  // namespace

TEST_CASE("body, keys and commitment are those of the golden vectors") {
  const Bytes body = encode_body(order_placed());
  CHECK(to_hex(body) == golden_vector("event-body"));
  CHECK(to_hex(event_key("/shop/eu", "order-1/1")) == golden_vector("event-key"));
  CHECK(to_hex(stream_key("order-1")) == golden_vector("stream-key"));
  CHECK(to_hex(commit(golden_salt(), body)) == golden_vector("commitment"));

  Event small;
  small.set("id", "1");
  small.set("source", "s");
  small.set("type", "t");
  small.data_kind = DataKind::kBinary;
  small.data = Bytes("\x00\xff", 2);
  CHECK(to_hex(encode_body(small)) == golden_vector("event-body-small"));
}

TEST_CASE("the golden vectors stand in FORMATS.md") {
  const std::string formats = formats_without_spaces();
  for (const char* name :
       {"event-body-small", "event-key", "stream-key", "commitment", "log-leaf",
        "history-leaf-hash", "history-node", "history-root-empty", "history-root-two"}) {
    INFO("vector ", std::string(name));
    CHECK(formats.find(golden_vector(name)) != std::string::npos);
  }
}

TEST_CASE("keys and commitment hash the version, the tag and what they name") {
  const Bytes key = Writer().header("ec:event-key").sized32("/shop/eu").raw("order-1/1").take();
  CHECK(event_key("/shop/eu", "order-1/1").view() == sha256(key).view().substr(0, 16));
  const Bytes stream = Writer().header("ec:stream-key").raw("order-1").take();
  CHECK(stream_key("order-1").view() == sha256(stream).view().substr(0, 16));
  const Bytes sealed = Writer().header("ec:commitment").fixed(golden_salt()).raw("body").take();
  CHECK(commit(golden_salt(), "body").view() == sha256(sealed).view());
  // Where the source ends and the id begins matters.
  CHECK(event_key("ab", "c") != event_key("a", "bc"));
}

TEST_CASE("an event answers for its attributes") {
  Event event = order_placed();
  CHECK(event.id() == "order-1/1");
  CHECK(event.source() == "/shop/eu");
  CHECK(event.type() == "order.placed");
  CHECK(event.expected_version() == kEmptyStream);
  CHECK(std::get<bool>(*event.find("urgent")));
  CHECK(event.find("nothing") == nullptr);
  CHECK(event.text("urgent").empty());
  event.set("urgent", false);
  CHECK_FALSE(std::get<bool>(*event.find("urgent")));
  CHECK(event.attributes.size() == 6);
  CHECK_FALSE(without("expectedversion").expected_version());
}

TEST_CASE("the stream is named by the stream attribute, else the subject, else the source") {
  Event event = with("subject", "basket");
  CHECK(event.stream() == "order-1");
  event = without("stream");
  event.set("subject", "basket");
  CHECK(event.stream() == "basket");
  CHECK(without("stream").stream() == "/shop/eu");

  for (const Event& one : {order_placed(), event, without("stream")}) {
    const auto held = hold_event(golden_salt(), encode_body(one), EventLimits{});
    REQUIRE(held);
    CHECK(held->facts.stream == stream_key(one.stream()));
  }
}

TEST_CASE("good events pass") {
  const EventLimits limits;
  CHECK(check_event(order_placed(), limits));
  CHECK(check_event(with("time", "2025-01-31T12:00:00.123Z"), limits));
  CHECK(check_event(with("time", "2024-02-29t23:59:60+23:59"), limits));
  CHECK(check_event(with("extension", ""), limits));
  CHECK(check_event(with("name", "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x90\x8c"), limits));
  CHECK(check_event(with("id", std::string(1024, 'x')), limits));
  CHECK(check_event(with("note", std::string(16 * 1024, 'x')), limits));
  CHECK(check_event(with("abcdefghij0123456789", 5), limits));
  CHECK(check_event(with("expectedversion", 0x7fffffff), limits));
  CHECK(check_event(without("stream"), limits));
  Event silent = order_placed();
  silent.data_kind = DataKind::kNone;
  silent.data.clear();
  CHECK(check_event(silent, limits));
}

TEST_CASE("an event without id, source or type is refused") {
  for (const char* name : {"id", "source", "type"}) {
    check_refused(without(name), "'" + text(name) + "'", "requires it");
    check_refused(with(name, ""), "'" + text(name) + "'", "give it a value");
    check_refused(with(name, 7), "'" + text(name) + "'", "must be a string");
    check_refused(with(name, std::string(1025, 'x')), "'" + text(name) + "'", "shorten it");
  }
}

TEST_CASE("optional attributes of CloudEvents are strings with content or absent") {
  for (const char* name : {"stream", "subject", "datacontenttype", "dataschema", "time"}) {
    check_refused(with(name, ""), "'" + text(name) + "'", "leave it out");
    check_refused(with(name, true), "'" + text(name) + "'", "must be a string");
  }
  check_refused(with("stream", std::string(1025, 'x')), "'stream'", "limit is 1024");
  check_refused(with("subject", std::string(1025, 'x')), "'subject'", "limit is 1024");
  check_refused(with("note", std::string(16 * 1024 + 1, 'x')), "'note'", "limit is 16384");
}

TEST_CASE("attribute names are short, lower case and not reserved") {
  for (const char* name :
       {"", "Upper", "with-dash", "under_score", "abcdefghij01234567890", "na\xc3\xafve"})
    check_refused(with(name, 1), "bad name", "use 1 to 20 of the characters");
  for (const char* name : {"data", "data_base64", "specversion", "datacontentencoding"})
    check_refused(with(name, "x"), text(name), "leave it out");
  const auto long_name = check_event(with(std::string(100'000, 'x'), 1), EventLimits{});
  CHECK(long_name.error().message.size() < 200);
}

TEST_CASE("attributes out of order or twice are refused") {
  Event twice = order_placed();
  twice.attributes.push_back(twice.attributes.back());
  check_refused(twice, "'urgent' occurs twice", "send it once");
  Event mixed = order_placed();
  std::swap(mixed.attributes[0], mixed.attributes[1]);
  check_refused(mixed, "out of order", "sort the attributes");
}

TEST_CASE("the expected version is an integer of at least -1") {
  check_refused(with("expectedversion", -2), "'expectedversion'", "at least -1");
  check_refused(with("expectedversion", "3"), "'expectedversion'", "at least -1");
  check_refused(with("expectedversion", true), "'expectedversion'", "at least -1");
}

TEST_CASE("strings are UTF-8 in its only spelling") {
  for (const char* bad :
       {"\x80", "\xc3", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xe0\x9f\xbf", "\xf0\x80\x80\xaf",
        "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xff", "\xe2\x82", "\xe2\x28\xa1", "\xf0\x9f\x90", "\xc3\xa9\xa9"}) {
    check_refused(with("note", bad), "'note' is not UTF-8", "encode");
    check_refused(with("id", text("x") + bad), "'id' is not UTF-8", "encode");
  }
  for (const char* good : {"\xc2\xa0", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xef\xbf\xbd", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbd"})
    CHECK(check_event(with("note", good), EventLimits{}));
}

TEST_CASE("control characters and noncharacters are refused") {
  for (const std::string& bad :
       {std::string(1, '\0'), text("\n"), text("\x1f"), text("\x7f"), text("\xc2\x80"),
        text("\xc2\x9f"), text("\xef\xb7\x90"), text("\xef\xbf\xbe"), text("\xf4\x8f\xbf\xbf")})
    check_refused(with("note", bad), "'note' has a control character", "remove it");
}

TEST_CASE("a time that RFC 3339 does not know is refused") {
  for (const char* bad :
       {"yesterday", "2025-01-31", "2025-01-31T12:00:00", "2025-01-31 12:00:00Z",
        "2025-02-29T12:00:00Z", "2025-13-01T12:00:00Z", "2025-00-01T12:00:00Z",
        "2025-01-00T12:00:00Z", "1900-02-29T00:00:00Z", "2025-01-31T24:00:00Z",
        "2025-01-31T12:60:00Z", "2025-01-31T12:00:61Z", "2025-01-31T12:00:00.Z",
        "2025-01-31T12:00:00+0100", "2025-01-31T12:00:00+24:00", "2025-01-31T12:00:00Zx",
        "2025-1-31T12:00:00Z", "+025-01-31T12:00:00Z", "2025-01-31T12:00:00+01:00Z"})
    check_refused(with("time", bad), "'time' is not a time", "2025-01-31T12:00:00.000Z");
}

TEST_CASE("data must be what its kind says") {
  Event event = order_placed();
  event.data_kind = DataKind::kNone;
  check_refused(event, "no data kind", "say whether");
  event.data_kind = static_cast<DataKind>(3);
  check_refused(event, "data kind is unknown", "use none");
  event.data_kind = DataKind::kJson;
  event.data = "\"eight ASCII octets, then \xff\"";
  check_refused(event, "not UTF-8", "binary");
  event.data.clear();
  check_refused(event, "empty", "JSON");
  event.data_kind = DataKind::kBinary;
  CHECK(check_event(event, EventLimits{}));
}

TEST_CASE("an event over the limits of the chain is refused") {
  EventLimits limits;
  const Event event = order_placed();
  const Bytes body = encode_body(event);
  limits.body_bytes_max = body.size();
  CHECK(check_event(event, limits));
  CHECK(hold_event(golden_salt(), body, limits));
  limits.body_bytes_max = body.size() - 1;
  const auto checked = check_event(event, limits);
  REQUIRE_FALSE(checked);
  CHECK(checked.error().code == ErrorCode::kTooLarge);
  CHECK(checked.error().message.find("send less data") != std::string::npos);
  CHECK(hold_event(golden_salt(), body, limits).error().message == checked.error().message);

  Event many = event;
  for (int i = 0; many.attributes.size() < EventLimits::kAttributesMax; ++i)
    many.set("a" + std::to_string(i), i);
  CHECK(check_event(many, EventLimits{}));
  many.set("z", 1);
  check_refused(many, "65 attributes", "move some to the data");
}
