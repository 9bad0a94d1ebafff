#include "node/api/json_object.h"

#include <fmt/format.h>

#include <utility>

#include "node/api/cloudevent_json.h"
#include "node/api/json_scan.h"

namespace eventchain::node::api {

namespace json = boost::json;
using chain::ErrorCode;
using chain::fail;
using chain::Result;

Result<json::value> parse_json(std::string_view text) {
  // Boost.JSON's values keep the last of two members with one name; two readers might not agree.
  if (auto strict = check_json(text); !strict) return tl::unexpected<chain::Error>(strict.error());
  json::error_code error;
  json::parse_options options;
  options.max_depth = 8;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error) return fail(ErrorCode::kMalformed, fmt::format("not JSON: {}", error.message()));
  return value;
}

JsonObject::JsonObject(const json::value& value, std::string where) : where_(std::move(where)) {
  object_ = value.if_object();
  if (object_ == nullptr) refuse("must be an object");
}

std::optional<std::string> JsonObject::text_in(const char* name, const json::value& value) {
  if (const json::string* string = value.if_string()) return std::string(*string);
  refuse(fmt::format("{} must be a string", name));
  return std::nullopt;
}

std::string JsonObject::text(const char* name) {
  const json::value* value = member(name);
  return value == nullptr ? std::string() : text_in(name, *value).value_or(std::string());
}

std::optional<std::string> JsonObject::optional_text(const char* name) {
  if (!has(name)) {
    seen_.insert(name);
    return std::nullopt;
  }
  const json::value* value = member(name);
  return value == nullptr ? std::nullopt : text_in(name, *value);
}

std::int64_t JsonObject::integer(const char* name, std::int64_t low, std::int64_t high) {
  const json::value* value = member(name);
  if (value == nullptr) return low;
  const std::int64_t* number = value->if_int64();
  if (number == nullptr || *number < low || *number > high) {
    refuse(fmt::format("{} must be an integer from {} to {}", name, low, high));
    return low;
  }
  return *number;
}

const json::value* JsonObject::member(const char* name) {
  if (object_ == nullptr || !error_.empty()) return nullptr;
  seen_.insert(name);
  const json::value* value = object_->if_contains(name);
  if (value == nullptr) refuse(fmt::format("{} is missing", name));
  return value;
}

bool JsonObject::has(const char* name) const {
  return object_ != nullptr && object_->contains(name);
}

void JsonObject::refuse(std::string what) {
  if (error_.empty()) error_ = fmt::format("{}: {}", where_, what);
}

void JsonObject::refuse_hex(const char* name, std::size_t octets) {
  refuse(fmt::format("{} must be {} lower-case hex digits", name, 2 * octets));
}

Result<void> JsonObject::finish() {
  if (object_ != nullptr && error_.empty()) {
    for (const auto& entry : *object_) {
      if (!seen_.contains(std::string_view(entry.key().data(), entry.key().size())))
        refuse(fmt::format("unknown member {}; remove it or use a newer version",
                           in_quotes({entry.key().data(), entry.key().size()})));
    }
  }
  if (!error_.empty()) return fail(ErrorCode::kMalformed, error_);
  return {};
}

}  // namespace eventchain::node::api
