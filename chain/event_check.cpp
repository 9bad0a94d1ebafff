#include "chain/event_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "chain/text.h"

namespace eventchain::chain {

namespace {

struct KnownText {
  std::string_view name;
  std::size_t bytes_max;
  bool is_required;
};

constexpr std::array<KnownText, 8> kKnownTexts = {{
    {"id", EventLimits::kIdentityBytesMax, true},
    {"source", EventLimits::kIdentityBytesMax, true},
    {"type", EventLimits::kIdentityBytesMax, true},
    {"stream", EventLimits::kIdentityBytesMax, false},
    {"subject", EventLimits::kIdentityBytesMax, false},
    {"datacontenttype", EventLimits::kAttributeBytesMax, false},
    {"dataschema", EventLimits::kAttributeBytesMax, false},
    {"time", EventLimits::kAttributeBytesMax, false},
}};

constexpr std::string_view kExpectedVersion = "expectedversion";

// Members of the structured JSON form that are not attributes, or that are implied.
constexpr std::string_view kReserved[] = {"data", "data_base64", "specversion",
                                          "datacontentencoding"};

// Attribute names come from outside; an error text must not repeat megabytes or control characters.
std::string in_quotes(std::string_view name) {
  std::string text = "'";
  for (char c : name.substr(0, 40)) text.push_back(c >= 0x20 && c < 0x7f ? c : '?');
  return text + (name.size() > 40 ? "...'" : "'");
}

tl::unexpected<Error> invalid(std::string_view name, std::string_view rest) {
  return fail(ErrorCode::kInvalid, fmt::format("attribute {} {}", in_quotes(name), rest));
}

// The place in the table; its size if the name is not in it.
std::size_t find_known(std::string_view name) {
  std::size_t at = 0;
  while (at < kKnownTexts.size() && kKnownTexts[at].name != name) ++at;
  return at;
}

Result<void> check_spelling(std::string_view name) {
  const bool is_spelled_well = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
  const bool is_reserved =
      std::find(std::begin(kReserved), std::end(kReserved), name) != std::end(kReserved);
  if (is_reserved)
    return invalid(name,
                   "has a reserved name; data travels beside the attributes and the "
                   "CloudEvents version is always 1.0, so leave it out");
  if (!is_spelled_well || name.empty() || name.size() > EventLimits::kAttributeNameMax)
    return invalid(name, fmt::format("has a bad name; use 1 to {} of the characters a-z and 0-9",
                                     EventLimits::kAttributeNameMax));
  return {};
}

Result<void> check_order(std::string_view name, std::string_view previous) {
  const int order = name.compare(previous);
  if (order == 0) return invalid(name, "occurs twice; send it once");
  if (order < 0) return invalid(name, "is out of order; sort the attributes by name");
  return {};
}

Result<void> check_text(const AttributeView& attribute, std::size_t bytes_max) {
  const auto* text = std::get_if<std::string_view>(&attribute.value);
  if (text == nullptr) return {};
  if (text->size() > bytes_max)
    return fail(ErrorCode::kTooLarge,
                fmt::format("attribute {} has {} octets, the limit is {}; shorten it",
                            in_quotes(attribute.name), text->size(), bytes_max));
  switch (find_text_fault(*text)) {
    case TextFault::kNone:
      return {};
    case TextFault::kNotUtf8:
      return invalid(attribute.name, "is not UTF-8; encode its text as UTF-8");
    case TextFault::kForbidden:
      return invalid(attribute.name,
                     "has a control character or a noncharacter, which "
                     "CloudEvents forbids; remove it or move it to the data");
  }
  return {};
}

}  // namespace

Result<void> EventCheck::attribute(const AttributeView& attribute) {
  const std::size_t known = find_known(attribute.name);
  // A name in our own table is spelled well and not reserved.
  if (known == kKnownCount)
    if (auto name = check_spelling(attribute.name); !name) return name;
  if (auto order = check_order(attribute.name, previous_); !order) return order;
  previous_ = attribute.name;
  if (known != kKnownCount) return known_text(known, attribute);
  if (attribute.name == kExpectedVersion) return expected(attribute);
  return check_text(attribute, EventLimits::kAttributeBytesMax);
}

Result<void> EventCheck::known_text(std::size_t known, const AttributeView& attribute) {
  static_assert(kKnownTexts.size() == kKnownCount);
  const auto* text = std::get_if<std::string_view>(&attribute.value);
  if (text == nullptr || text->empty())
    return invalid(attribute.name, kKnownTexts[known].is_required
                                       ? "must be a string that is not empty; give it a value"
                                       : "must be a string that is not empty; give it a value or "
                                         "leave it out");
  if (auto checked = check_text(attribute, kKnownTexts[known].bytes_max); !checked) return checked;
  if (known == kTime && !is_timestamp(*text))
    return invalid(attribute.name,
                   "is not a time of RFC 3339; write it like 2025-01-31T12:00:00.000Z");
  texts_[known] = *text;
  return {};
}

Result<void> EventCheck::expected(const AttributeView& attribute) {
  const auto* version = std::get_if<std::int32_t>(&attribute.value);
  if (version == nullptr || *version < kEmptyStream.value)
    return invalid(attribute.name,
                   "must be an integer of at least -1; give the version the stream stands at, or "
                   "-1 for a stream without events");
  expected_ = StreamVersion{*version};
  return {};
}

Result<void> EventCheck::finish(DataKind kind, ByteView data) const {
  for (std::size_t i = 0; i < kKnownTexts.size(); ++i)
    if (kKnownTexts[i].is_required && texts_[i].empty())
      return invalid(kKnownTexts[i].name, "is missing; CloudEvents requires it");
  switch (kind) {
    case DataKind::kNone:
      if (data.empty()) return {};
      return fail(
          ErrorCode::kInvalid,
          "the event has data octets but no data kind; say whether they are JSON or binary");
    case DataKind::kJson:
      if (!data.empty() && is_utf8(data)) return {};
      return fail(ErrorCode::kInvalid,
                  "the event's JSON data is empty or not UTF-8; send JSON text or binary data");
    case DataKind::kBinary:
      return {};
  }
  return fail(ErrorCode::kInvalid, "the event's data kind is unknown; use none, JSON or binary");
}

std::string_view EventCheck::stream() const {
  if (!texts_[kStream].empty()) return texts_[kStream];
  return texts_[kSubject].empty() ? texts_[kSource] : texts_[kSubject];
}

Result<void> check_body_size(std::size_t size, const EventLimits& limits) {
  // Sizes are kept in 32 bits whatever the limits of a chain say.
  const std::size_t size_max =
      std::min<std::size_t>(limits.body_bytes_max, std::numeric_limits<std::uint32_t>::max());
  if (size <= size_max) return {};
  return fail(
      ErrorCode::kTooLarge,
      fmt::format("the event's body has {} octets, the limit of this chain is {}; send less "
                  "data, or a reference to data kept elsewhere",
                  size, size_max));
}

}  // namespace eventchain::chain
