#include "chain/encoding.h"
#include "chain/event.h"
#include "chain/event_check.h"

namespace eventchain::chain {

namespace {

constexpr std::string_view kTag = "ec:body";
constexpr std::size_t kAttributeSizeMin = 3;  // empty name, value kind, one octet of value

enum class ValueKind : std::uint8_t { kBoolean = 0, kInteger = 1, kString = 2 };

// What follows the attributes.
struct BodyEnd {
  DataKind kind = DataKind::kNone;
  ByteView data;
};

void write_value(Writer& writer, const AttributeValue& value) {
  if (const auto* flag = std::get_if<bool>(&value))
    writer.u8(static_cast<std::uint8_t>(ValueKind::kBoolean)).boolean(*flag);
  if (const auto* number = std::get_if<std::int32_t>(&value))
    writer.u8(static_cast<std::uint8_t>(ValueKind::kInteger)).i32(*number);
  if (const auto* text = std::get_if<std::string>(&value))
    writer.u8(static_cast<std::uint8_t>(ValueKind::kString)).sized32(*text);
}

std::size_t value_size(const AttributeValue& value) {
  if (std::holds_alternative<bool>(value)) return 2;
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? 5 : 5 + text->size();
}

AttributeView read_attribute(Reader& reader) {
  AttributeView attribute{reader.sized8(), false};
  switch (static_cast<ValueKind>(reader.u8())) {
    case ValueKind::kBoolean:
      attribute.value = reader.boolean();
      return attribute;
    case ValueKind::kInteger:
      attribute.value = reader.i32();
      return attribute;
    case ValueKind::kString:
      attribute.value = reader.sized32(reader.remaining());
      return attribute;
  }
  reader.refuse("unknown kind of attribute value");
  return attribute;
}

// The one reader of bodies. Hands every attribute to `visit`, which may end the walk with an
// error; accepts nothing that encode_body() would not write.
template <class Visit>
Result<BodyEnd> walk_body(ByteView body, Visit visit) {
  Reader reader(body);
  reader.header(kTag);
  const std::size_t count = reader.count16(EventLimits::kAttributesMax, kAttributeSizeMin);
  std::string_view previous;
  for (std::size_t i = 0; i < count && reader.ok(); ++i) {
    const AttributeView attribute = read_attribute(reader);
    if (i > 0 && attribute.name <= previous) reader.refuse("attributes are not sorted by name");
    previous = attribute.name;
    if (!reader.ok()) break;
    if (Result<void> visited = visit(attribute); !visited)
      return tl::unexpected<Error>(std::move(visited.error()));
  }
  const std::uint8_t kind = reader.u8();
  if (kind > static_cast<std::uint8_t>(DataKind::kBinary)) reader.refuse("unknown data kind");
  const BodyEnd end{static_cast<DataKind>(kind), reader.sized32(reader.remaining())};
  if (end.kind == DataKind::kNone && !end.data.empty()) reader.refuse("data without a data kind");
  if (Result<void> finished = reader.finish("event body"); !finished)
    return tl::unexpected<Error>(std::move(finished.error()));
  return end;
}

Attribute copy_of(const AttributeView& view) {
  Attribute attribute{std::string(view.name), false};
  if (const auto* flag = std::get_if<bool>(&view.value)) attribute.value = *flag;
  if (const auto* number = std::get_if<std::int32_t>(&view.value)) attribute.value = *number;
  if (const auto* text = std::get_if<std::string_view>(&view.value))
    attribute.value = std::string(*text);
  return attribute;
}

}  // namespace

std::size_t body_size(const Event& event) {
  std::size_t size = 1 + kTag.size() + 2 + 1 + 4 + event.data.size();
  for (const Attribute& attribute : event.attributes)
    size += 1 + attribute.name.size() + value_size(attribute.value);
  return size;
}

Bytes encode_body(const Event& event) {
  EC_ASSERT(event.attributes.size() <= EventLimits::kAttributesMax, "check_event() comes first");
  Writer writer(body_size(event));
  writer.header(kTag).u16(static_cast<std::uint16_t>(event.attributes.size()));
  for (const Attribute& attribute : event.attributes) {
    writer.sized8(attribute.name);
    write_value(writer, attribute.value);
  }
  writer.u8(static_cast<std::uint8_t>(event.data_kind)).sized32(event.data);
  return writer.take();
}

Result<Event> decode_body(ByteView body) {
  Event event;
  auto end = walk_body(body, [&](const AttributeView& attribute) -> Result<void> {
    event.attributes.push_back(copy_of(attribute));
    return {};
  });
  if (!end) return tl::unexpected<Error>(std::move(end.error()));
  event.data_kind = end->kind;
  event.data = Bytes(end->data);
  return event;
}

Result<EventFacts> derive_facts(const Salt& salt, ByteView body, const EventLimits& limits) {
  if (auto size = check_body_size(body.size(), limits); !size)
    return tl::unexpected<Error>(std::move(size.error()));
  EventCheck check;
  auto end = walk_body(body, [&](const AttributeView& view) { return check.attribute(view); });
  if (!end) return tl::unexpected<Error>(std::move(end.error()));
  if (auto checked = check.finish(end->kind, end->data); !checked)
    return tl::unexpected<Error>(std::move(checked.error()));
  return EventFacts{event_key(check.source(), check.id()), commit(salt, body),
                    stream_key(check.stream()), check.expected_version(),
                    static_cast<std::uint32_t>(body.size())};
}

Result<HeldEvent> hold_event(const Salt& salt, Bytes body, const EventLimits& limits) {
  auto facts = derive_facts(salt, body, limits);
  if (!facts) return tl::unexpected<Error>(std::move(facts.error()));
  return HeldEvent{*facts, salt, std::move(body)};
}

}  // namespace eventchain::chain
