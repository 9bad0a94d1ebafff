#include "node/api/cloudevent_json.h"

#include <fmt/format.h>
#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <vector>

#include "chain/base64.h"
#include "node/api/json_scan.h"

namespace eventchain::node::api {

namespace json = boost::json;
using chain::ErrorCode;
using json::error_code;

namespace {

enum class Shape : std::uint8_t { kAnything, kEvent, kBatch };

// Receives the parser's calls. A refusal of ours is kept beside the parser's error code.
class EventReader {
 public:
  // Boost.JSON asks for these; our own limits are elsewhere.
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = max_object_size;
  static constexpr std::size_t max_key_size = max_object_size;
  static constexpr std::size_t max_string_size = max_object_size;

  EventReader(std::string_view text, Shape shape, const chain::EventLimits& limits,
              const EventSink& sink)
      : text_(text),
        shape_(shape),
        event_depth_(shape == Shape::kEvent   ? 1
                     : shape == Shape::kBatch ? 2
                                              : 0),
        limits_(limits),
        sink_(sink) {}

  [[nodiscard]] std::size_t events() const { return events_; }
  [[nodiscard]] const chain::Error* refusal() const { return is_refused_ ? &refusal_ : nullptr; }
  // "event 7: " in a batch.
  [[nodiscard]] std::string place() const {
    return shape_ == Shape::kBatch ? fmt::format("event {} of the batch: ", events_)
                                   : std::string();
  }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code& ec) {
    if (!opens_well(true, ec)) return false;
    ++depth_;
    marks_.push_back(keys_.size());
    return true;
  }
  bool on_object_end(std::size_t, error_code& ec) {
    if (!check_keys(ec)) return false;
    marks_.pop_back();
    const bool is_event = depth_ == event_depth_;
    --depth_;
    return !is_event || finish_event(ec);
  }
  bool on_array_begin(error_code& ec) {
    if (!opens_well(false, ec)) return false;
    ++depth_;
    return true;
  }
  bool on_array_end(std::size_t, error_code&) {
    --depth_;
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, error_code&) {
    scratch_.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, std::size_t, error_code& ec) {
    const std::string_view name = joined(part);
    const bool is_ok = depth_ == event_depth_ ? begin_member(name, ec) : keep_key(name);
    scratch_.clear();
    return is_ok;
  }
  bool on_string_part(json::string_view part, std::size_t, error_code&) {
    // Strings inside of data stay where they are.
    if (depth_ == event_depth_ && member_ != Member::kData)
      scratch_.append(part.data(), part.size());
    return true;
  }
  bool on_string(json::string_view part, std::size_t, error_code& ec) {
    if (!is_member_value()) return stands_well(ec);
    const bool is_ok = string_member(joined(part), ec);
    scratch_.clear();
    return is_ok;
  }
  bool on_number_part(json::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t number, json::string_view, error_code& ec) {
    if (!is_member_value()) return stands_well(ec);
    if (member_ != Member::kAttribute) return wrong_type(ec);
    if (number < std::numeric_limits<std::int32_t>::min() ||
        number > std::numeric_limits<std::int32_t>::max())
      return not_32_bits(ec);
    return keep(static_cast<std::int32_t>(number));
  }
  bool on_uint64(std::uint64_t, json::string_view, error_code& ec) {
    return is_member_value() ? not_32_bits(ec) : stands_well(ec);
  }
  bool on_double(double number, json::string_view, error_code& ec) {
    if (!std::isfinite(number))
      return refuse(ec, ErrorCode::kMalformed,
                    "a number is beyond the range of a double; send it as a string");
    return is_member_value() ? wrong_type(ec) : stands_well(ec);
  }
  bool on_bool(bool value, error_code& ec) {
    if (!is_member_value()) return stands_well(ec);
    return member_ == Member::kAttribute ? keep(value) : wrong_type(ec);
  }
  bool on_null(error_code& ec) {
    if (!is_member_value()) return stands_well(ec);
    // The JSON format reads null as "not set".
    return member_ == Member::kAttribute ? true : wrong_type(ec);
  }
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }

 private:
  enum class Member : std::uint8_t { kAttribute, kSpecVersion, kData, kDataBase64 };

  bool refuse(error_code& ec, ErrorCode code, std::string_view message) {
    is_refused_ = true;
    refusal_ = {code, place() + std::string(message)};
    ec = json::error::exception;  // any; refusal() is what counts
    return false;
  }
  bool wrong_type(error_code& ec) {
    if (member_ == Member::kSpecVersion)
      return refuse(ec, ErrorCode::kInvalid, "attribute 'specversion' must be the string \"1.0\"");
    if (member_ == Member::kDataBase64)
      return refuse(ec, ErrorCode::kInvalid, "'data_base64' must be a string");
    return refuse(ec, ErrorCode::kInvalid,
                  fmt::format("attribute '{}' must be a string, a boolean or a 32-bit integer; "
                              "put anything else into the data",
                              name_));
  }
  bool not_32_bits(error_code& ec) {
    if (member_ != Member::kAttribute) return wrong_type(ec);
    return refuse(ec, ErrorCode::kInvalid,
                  fmt::format("attribute '{}' is beyond 32 bits; send it as a string", name_));
  }

  // Whether a value at this place is one of the event's own members rather than part of its data.
  [[nodiscard]] bool is_member_value() const {
    return depth_ == event_depth_ && depth_ > 0 && member_ != Member::kData;
  }
  // A value that is no member of an event must not stand where an event is expected.
  bool stands_well(error_code& ec) {
    if (depth_ >= event_depth_) return true;
    return refuse(ec, ErrorCode::kMalformed,
                  shape_ == Shape::kBatch ? "a batch is a JSON array of event objects"
                                          : "an event is a JSON object");
  }
  bool opens_well(bool is_object, error_code& ec) {
    if (is_member_value()) return wrong_type(ec);
    if (depth_ >= event_depth_) return true;
    const bool fits =
        is_object ? depth_ + 1 == event_depth_ : shape_ == Shape::kBatch && depth_ == 0;
    if (!fits) return stands_well(ec);
    if (!is_object) return true;
    if (events_ == kBatchEventsMax)
      return refuse(
          ec, ErrorCode::kTooLarge,
          fmt::format("a batch holds at most {} events; send several batches", kBatchEventsMax));
    event_.attributes.clear();
    event_.data_kind = chain::DataKind::kNone;
    event_.data.clear();
    has_version_ = false;
    return true;
  }

  [[nodiscard]] bool lies_in_text(std::string_view part) const {
    const std::less_equal<const char*> before;
    return before(text_.data(), part.data()) &&
           before(part.data() + part.size(), text_.data() + text_.size());
  }
  std::string_view joined(json::string_view part) {
    if (scratch_.empty()) return {part.data(), part.size()};
    scratch_.append(part.data(), part.size());
    return scratch_;
  }

  bool keep_key(std::string_view name) {
    if (!lies_in_text(name)) name = unescaped_.emplace_back(name);
    keys_.push_back(name);
    return true;
  }
  // The keys of the object that ends; drops them.
  bool check_keys(error_code& ec) {
    const auto first = keys_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::sort(first, keys_.end());
    const auto twin = std::adjacent_find(first, keys_.end());
    if (twin != keys_.end())
      return refuse(ec, ErrorCode::kMalformed,
                    fmt::format("the data has the member {} twice in one object; send it once",
                                in_quotes(*twin)));
    keys_.erase(first, keys_.end());
    if (keys_.empty()) unescaped_.clear();
    return true;
  }

  bool begin_member(std::string_view name, error_code& ec) {
    // Attribute names need no escapes, and the place of `data` is found through its name's.
    if (!lies_in_text(name))
      return refuse(ec, ErrorCode::kMalformed,
                    "the name of an event's member is written with escapes; write it plainly");
    if (name == "data") return begin_data(name, ec);
    if (name == "specversion") {
      member_ = Member::kSpecVersion;
      return !has_version_ || twice(name, ec);
    }
    if (name == "data_base64") {
      member_ = Member::kDataBase64;
      return event_.data_kind == chain::DataKind::kNone || two_kinds_of_data(ec);
    }
    if (name.empty() || name.size() > chain::EventLimits::kAttributeNameMax)
      return refuse(ec, ErrorCode::kInvalid,
                    fmt::format("attribute {} has a bad name; use 1 to {} of the characters a-z "
                                "and 0-9",
                                in_quotes(name), chain::EventLimits::kAttributeNameMax));
    if (event_.find(name) != nullptr) return twice(name, ec);
    if (event_.attributes.size() == chain::EventLimits::kAttributesMax)
      return refuse(ec, ErrorCode::kTooLarge,
                    fmt::format("the event has more than {} attributes; move some to the data",
                                chain::EventLimits::kAttributesMax));
    member_ = Member::kAttribute;
    name_ = std::string(name);
    return true;
  }
  bool twice(std::string_view name, error_code& ec) {
    return refuse(ec, ErrorCode::kMalformed,
                  fmt::format("the member {} occurs twice; send it once", in_quotes(name)));
  }
  bool two_kinds_of_data(error_code& ec) {
    return refuse(ec, ErrorCode::kMalformed,
                  "the event has more than one 'data' or 'data_base64'; send one of them once");
  }

  bool begin_data(std::string_view name, error_code& ec) {
    member_ = Member::kData;
    if (event_.data_kind != chain::DataKind::kNone) return two_kinds_of_data(ec);
    const auto behind = static_cast<std::size_t>(name.data() - text_.data()) + name.size() + 1;
    const std::string_view value = value_after_key(text_, behind);
    // Before it is parsed: what is kept while parsing is bounded by this.
    if (value.size() > limits_.body_bytes_max)
      return refuse(ec, ErrorCode::kTooLarge,
                    fmt::format("the event's data has {} octets, the limit of this chain is {} for "
                                "the whole event; send less, or a reference to data kept elsewhere",
                                value.size(), limits_.body_bytes_max));
    event_.data_kind = chain::DataKind::kJson;
    event_.data.assign(value);
    return true;
  }

  bool string_member(std::string_view value, error_code& ec) {
    switch (member_) {
      case Member::kAttribute:
        return keep(std::string(value));
      case Member::kSpecVersion:
        has_version_ = true;
        return value == "1.0" || wrong_type(ec);
      case Member::kDataBase64: {
        auto octets = chain::from_base64(value);
        if (!octets)
          return refuse(ec, ErrorCode::kInvalid,
                        "'data_base64' is not base64 of RFC 4648 with padding and without line "
                        "breaks");
        event_.data_kind = chain::DataKind::kBinary;
        event_.data = std::move(*octets);
        return true;
      }
      case Member::kData:
        return true;
    }
    return true;
  }
  bool keep(chain::AttributeValue value) {
    event_.set(std::move(name_), std::move(value));
    return true;
  }

  bool finish_event(error_code& ec) {
    if (!has_version_)
      return refuse(ec, ErrorCode::kInvalid,
                    "attribute 'specversion' is missing; it must be the string \"1.0\"");
    if (auto taken = sink_(event_); !taken)
      return refuse(ec, taken.error().code, taken.error().message);
    ++events_;
    return true;
  }

  const std::string_view text_;
  const Shape shape_;
  const std::size_t event_depth_;  // open containers inside of an event; 0: there are no events
  const chain::EventLimits& limits_;
  const EventSink& sink_;

  std::size_t depth_ = 0;
  std::size_t events_ = 0;
  Member member_ = Member::kAttribute;
  std::string name_;
  bool has_version_ = false;
  chain::Event event_;
  std::string scratch_;                 // a string that came in parts
  std::vector<std::string_view> keys_;  // of the objects that are open inside of data
  std::vector<std::size_t> marks_;      // where each of them begins
  std::deque<std::string> unescaped_;   // keys that do not stand in the text as they are
  chain::Error refusal_{ErrorCode::kMalformed, {}};
  bool is_refused_ = false;
};

std::string explain(const error_code& ec, std::size_t at) {
  if (ec == json::error::too_deep)
    return fmt::format("the JSON text is nested deeper than {} levels; flatten it", kJsonDepthMax);
  if (ec == json::error::incomplete) return "the JSON text ends too early";
  if (ec == json::error::extra_data)
    return fmt::format("something follows the JSON text at octet {}; send one value", at);
  return fmt::format("no JSON at octet {}: {}; send UTF-8 JSON of RFC 8259", at, ec.message());
}

chain::Result<std::size_t> parse(std::string_view text, Shape shape,
                                 const chain::EventLimits& limits, const EventSink& sink) {
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  json::basic_parser<EventReader> parser(options, text, shape, limits, sink);
  error_code ec;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
  if (!ec && used < text.size()) ec = json::error::extra_data;
  if (!ec) return parser.handler().events();
  if (const chain::Error* refusal = parser.handler().refusal())
    return chain::fail(refusal->code, refusal->message);
  return chain::fail(ErrorCode::kMalformed, parser.handler().place() + explain(ec, used));
}

}  // namespace

chain::Result<void> parse_event(std::string_view text, const chain::EventLimits& limits,
                                const EventSink& sink) {
  auto parsed = parse(text, Shape::kEvent, limits, sink);
  if (!parsed) return tl::unexpected<chain::Error>(std::move(parsed.error()));
  return {};
}

chain::Result<std::size_t> parse_batch(std::string_view text, const chain::EventLimits& limits,
                                       const EventSink& sink) {
  auto parsed = parse(text, Shape::kBatch, limits, sink);
  if (parsed && *parsed == 0)
    return chain::fail(ErrorCode::kInvalid, "the batch holds no event; send at least one");
  return parsed;
}

chain::Result<void> check_json(std::string_view text) {
  auto parsed = parse(text, Shape::kAnything, {}, {});
  if (!parsed) return tl::unexpected<chain::Error>(std::move(parsed.error()));
  return {};
}

void append_event(JsonText& out, const chain::Event& event) {
  out.open_object().text("specversion", "1.0");
  for (const chain::Attribute& attribute : event.attributes) {
    out.key(attribute.name);
    if (const auto* flag = std::get_if<bool>(&attribute.value)) out.boolean(*flag);
    if (const auto* number = std::get_if<std::int32_t>(&attribute.value)) out.number(*number);
    if (const auto* text = std::get_if<std::string>(&attribute.value)) out.text(*text);
  }
  switch (event.data_kind) {
    case chain::DataKind::kNone:
      break;
    case chain::DataKind::kJson:
      out.key("data").raw(event.data);
      break;
    case chain::DataKind::kBinary:
      out.text("data_base64", chain::to_base64(event.data));
      break;
  }
  out.close_object();
}

}  // namespace eventchain::node::api
