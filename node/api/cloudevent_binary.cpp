#include "node/api/cloudevent_binary.h"

#include <fmt/format.h>
#include <boost/url/decode_view.hpp>
#include <boost/url/pct_string_view.hpp>

#include <charconv>

#include "node/api/cloudevent_json.h"
#include "node/api/json_scan.h"

namespace eventchain::node::api {

using chain::ErrorCode;

namespace {

constexpr std::string_view kPrefix = "ce-";

tl::unexpected<chain::Error> refuse(std::string_view message) {
  return chain::fail(ErrorCode::kInvalid, std::string(message));
}

chain::Result<std::string> unescape(std::string_view name, std::string_view value) {
  const auto text = boost::urls::make_pct_string_view({value.data(), value.size()});
  if (!text)
    return refuse(
        fmt::format("header {} has a '%' that begins no escape; write it as %25", in_quotes(name)));
  std::string plain;
  plain.reserve(value.size());
  for (char c : **text) plain.push_back(c);
  return plain;
}

chain::Result<chain::AttributeValue> attribute_value(std::string_view name, std::string text) {
  if (name != "expectedversion") return chain::AttributeValue(std::move(text));
  std::int32_t number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (ec != std::errc() || end != text.data() + text.size())
    return refuse("header 'ce-expectedversion' must be an integer of at least -1");
  return chain::AttributeValue(number);
}

bool is_json(std::string_view type) {
  constexpr std::string_view kSuffix = "+json";
  return type == "application/json" || type == "text/json" ||
         (type.size() > kSuffix.size() && type.substr(type.size() - kSuffix.size()) == kSuffix);
}

chain::Result<void> take_attribute(chain::Event& event, const net::http::Header& field) {
  const std::string_view name = std::string_view(field.name).substr(kPrefix.size());
  if (name.empty() || name.size() > chain::EventLimits::kAttributeNameMax)
    return refuse(
        fmt::format("header {} is no attribute; use 1 to {} of the characters a-z and "
                    "0-9 behind 'ce-'",
                    in_quotes(field.name), chain::EventLimits::kAttributeNameMax));
  if (name == "datacontenttype")
    return refuse("header 'ce-datacontenttype' is not used; Content-Type says what the data is");
  if (event.find(name) != nullptr)
    return refuse(fmt::format("header {} occurs twice; send it once", in_quotes(field.name)));
  if (event.attributes.size() == chain::EventLimits::kAttributesMax)
    return chain::fail(ErrorCode::kTooLarge,
                       fmt::format("the event has more than {} attributes; move some to the data",
                                   chain::EventLimits::kAttributesMax));
  auto text = unescape(field.name, field.value);
  if (!text) return tl::unexpected<chain::Error>(std::move(text.error()));
  auto value = attribute_value(name, std::move(*text));
  if (!value) return tl::unexpected<chain::Error>(std::move(value.error()));
  event.set(std::string(name), std::move(*value));
  return {};
}

}  // namespace

std::string media_type(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
  for (char& c : type)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return type;
}

bool is_binary_mode(const net::http::Request& request) {
  return request.find("ce-specversion").has_value();
}

chain::Result<chain::Event> parse_binary(net::http::Request& request) {
  chain::Event event;
  std::size_t versions = 0;
  for (const net::http::Header& field : request.headers) {
    if (field.name == "ce-specversion") {
      ++versions;
      if (field.value != "1.0" || versions > 1)
        return refuse("header 'ce-specversion' must be 1.0 and occur once");
      continue;
    }
    if (field.name.compare(0, kPrefix.size(), kPrefix) != 0) continue;
    if (auto taken = take_attribute(event, field); !taken)
      return tl::unexpected<chain::Error>(std::move(taken.error()));
  }
  const std::string_view content_type = request.header("content-type");
  if (!content_type.empty()) event.set("datacontenttype", std::string(content_type));
  if (request.body.empty()) return event;
  event.data = std::move(request.body);
  event.data_kind = chain::DataKind::kBinary;
  if (!is_json(media_type(content_type))) return event;
  if (auto checked = check_json(event.data); !checked)
    return chain::fail(checked.error().code, "the data: " + checked.error().message);
  event.data_kind = chain::DataKind::kJson;
  return event;
}

}  // namespace eventchain::node::api
