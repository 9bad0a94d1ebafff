#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "chain/bytes.h"
#include "chain/result.h"
#include "chain/types.h"

namespace eventchain::chain {

// The attribute types that JSON can carry (CloudEvents 1.0.2, section "Type System"): Boolean,
// Integer (32 bit, signed) and everything that travels as a string.
using AttributeValue = std::variant<bool, std::int32_t, std::string>;

struct Attribute {
  std::string name;  // [a-z0-9]{1,20}
  AttributeValue value;
  bool operator==(const Attribute&) const = default;
};

// What the data bytes are, so that they go out as they came in.
enum class DataKind : std::uint8_t {
  kNone = 0,
  kJson = 1,    // `data` is JSON text, byte for byte as received
  kBinary = 2,  // `data` is opaque; `data_base64` in the structured JSON form
};

// A CloudEvent 1.0. Plain data; check_event() tells whether it obeys the rules.
struct Event {
  std::vector<Attribute> attributes;  // sorted by name, distinct; `specversion` is implied
  DataKind data_kind = DataKind::kNone;
  Bytes data;

  bool operator==(const Event&) const = default;

  // Keeps the order; replaces an attribute of the same name.
  void set(std::string name, AttributeValue value);
  [[nodiscard]] const AttributeValue* find(std::string_view name) const;
  // "" when absent or not a string.
  [[nodiscard]] std::string_view text(std::string_view name) const;

  [[nodiscard]] std::string_view id() const { return text("id"); }
  [[nodiscard]] std::string_view source() const { return text("source"); }
  [[nodiscard]] std::string_view type() const { return text("type"); }
  // The extension `stream`, else `subject`, else `source`.
  [[nodiscard]] std::string_view stream() const;
  // The extension `expectedversion`: the version the stream must stand at (-1: empty).
  [[nodiscard]] std::optional<StreamVersion> expected_version() const;
};

struct EventLimits {
  std::size_t body_bytes_max = 1024 * 1024;  // canonical body
  static constexpr std::size_t kAttributesMax = 64;
  static constexpr std::size_t kAttributeNameMax = 20;    // CloudEvents SHOULD
  static constexpr std::size_t kIdentityBytesMax = 1024;  // id, source, stream, subject, type each
  static constexpr std::size_t kAttributeBytesMax = 16 * 1024;
};

// Context-free rules for one event: required attributes, names, UTF-8, sizes, types of `stream`
// (string) and `expectedversion` (integer >= -1). The error names the attribute and the remedy.
Result<void> check_event(const Event& event, const EventLimits& limits);

// SHA-256(tag || len(source) || source || id), first 16 octets. The event's name for ever.
EventKey event_key(std::string_view source, std::string_view id);
StreamKey stream_key(std::string_view stream_name);

// Canonical body: byte layout in FORMATS.md. decode_body refuses every other spelling, so that
// encode_body(decode_body(b)) == b.
Bytes encode_body(const Event& event);
Result<Event> decode_body(ByteView body);

// SHA-256(tag || salt || body).
Commitment commit(const Salt& salt, ByteView body);

// What the rules need to know of an event; everything else stays in the body.
struct EventFacts {
  EventKey key;
  Commitment commitment;
  StreamKey stream;
  std::optional<StreamVersion> expected;  // nullopt: any version
  std::uint32_t body_bytes = 0;

  bool operator==(const EventFacts&) const = default;
};

// An event as it is held and sent: the body, its salt, and the facts derived from them.
struct HeldEvent {
  EventFacts facts;
  Salt salt;
  Bytes body;
};

// Derives the facts from salt and body after checking the body as check_event() would. One pass
// over the body without building an Event: every body that arrives from a peer goes through here.
Result<EventFacts> derive_facts(const Salt& salt, ByteView body, const EventLimits& limits);
Result<HeldEvent> hold_event(const Salt& salt, Bytes body, const EventLimits& limits);

}  // namespace eventchain::chain
