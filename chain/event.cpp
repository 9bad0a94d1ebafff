#include "chain/event.h"

#include <fmt/format.h>

#include <algorithm>

#include "chain/encoding.h"
#include "chain/event_check.h"
#include "chain/hash.h"

namespace eventchain::chain {

namespace {

// Version octet and domain tag, as Writer::header() writes them: hashed in parts, without a copy.
constexpr ByteView kEventKeyHeader =
    "\x01"
    "ec:event-key";
constexpr ByteView kStreamKeyHeader =
    "\x01"
    "ec:stream-key";
constexpr ByteView kCommitmentHeader =
    "\x01"
    "ec:commitment";

AttributeView view_of(const Attribute& attribute) {
  AttributeView view{attribute.name, false};
  if (const auto* flag = std::get_if<bool>(&attribute.value)) view.value = *flag;
  if (const auto* number = std::get_if<std::int32_t>(&attribute.value)) view.value = *number;
  if (const auto* text = std::get_if<std::string>(&attribute.value))
    view.value = std::string_view(*text);
  return view;
}

}  // namespace

void Event::set(std::string name, AttributeValue value) {
  const auto at = std::lower_bound(
      attributes.begin(), attributes.end(), name,
      [](const Attribute& attribute, const std::string& key) { return attribute.name < key; });
  if (at != attributes.end() && at->name == name)
    at->value = std::move(value);
  else
    attributes.insert(at, Attribute{std::move(name), std::move(value)});
}

const AttributeValue* Event::find(std::string_view name) const {
  // Not a binary search: an event that was never checked may be out of order.
  const auto at = std::find_if(attributes.begin(), attributes.end(),
                               [&](const Attribute& attribute) { return attribute.name == name; });
  return at == attributes.end() ? nullptr : &at->value;
}

std::string_view Event::text(std::string_view name) const {
  const AttributeValue* value = find(name);
  const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(value);
  return text == nullptr ? std::string_view() : std::string_view(*text);
}

std::string_view Event::stream() const {
  for (std::string_view name : {"stream", "subject"})
    if (const std::string_view found = text(name); !found.empty()) return found;
  return source();
}

std::optional<StreamVersion> Event::expected_version() const {
  const AttributeValue* value = find("expectedversion");
  const auto* version = value == nullptr ? nullptr : std::get_if<std::int32_t>(value);
  if (version == nullptr) return std::nullopt;
  return StreamVersion{*version};
}

Result<void> check_event(const Event& event, const EventLimits& limits) {
  if (auto size = check_body_size(body_size(event), limits); !size) return size;
  if (event.attributes.size() > EventLimits::kAttributesMax)
    return fail(ErrorCode::kTooLarge,
                fmt::format("the event has {} attributes, the limit is {}; move some to the data",
                            event.attributes.size(), EventLimits::kAttributesMax));
  EventCheck check;
  for (const Attribute& attribute : event.attributes)
    if (auto checked = check.attribute(view_of(attribute)); !checked) return checked;
  return check.finish(event.data_kind, event.data);
}

EventKey event_key(std::string_view source, std::string_view id) {
  // The length keeps ("ab", "c") and ("a", "bc") apart.
  EC_ASSERT(source.size() <= 0xffffffff, "sources are far shorter");
  const Bytes length = Writer(4).u32(static_cast<std::uint32_t>(source.size())).take();
  return as_kind<EventKey>(sha256({kEventKeyHeader, length, source, id}));
}

StreamKey stream_key(std::string_view stream_name) {
  return as_kind<StreamKey>(sha256({kStreamKeyHeader, stream_name}));
}

Commitment commit(const Salt& salt, ByteView body) {
  return as_kind<Commitment>(sha256({kCommitmentHeader, salt.view(), body}));
}

}  // namespace eventchain::chain
