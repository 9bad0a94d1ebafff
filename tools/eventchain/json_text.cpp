#include "tools/eventchain/json_text.h"

#include <charconv>

namespace eventchain::tools {

namespace json = boost::json;
using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

void write_pretty(std::string& out, const json::value& value, std::size_t depth) {
  const auto new_line = [&out](std::size_t levels) {
    out += '\n';
    out.append(2 * levels, ' ');
  };
  if (const json::object* object = value.if_object(); object != nullptr && !object->empty()) {
    out += '{';
    bool first = true;
    for (const auto& member : *object) {
      if (!first) out += ',';
      first = false;
      new_line(depth + 1);
      out += json::serialize(json::string(member.key()));
      out += ": ";
      write_pretty(out, member.value(), depth + 1);
    }
    new_line(depth);
    out += '}';
  } else if (const json::array* array = value.if_array(); array != nullptr && !array->empty()) {
    out += '[';
    bool first = true;
    for (const json::value& item : *array) {
      if (!first) out += ',';
      first = false;
      new_line(depth + 1);
      write_pretty(out, item, depth + 1);
    }
    new_line(depth);
    out += ']';
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

Result<json::value> parse_json(std::string_view text, const std::string& what) {
  json::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
  if (error) return fail(ErrorCode::kMalformed, what + " is no valid JSON: " + error.message());
  return value;
}

const json::value* find(const json::value& value, std::string_view member) {
  const json::object* object = value.if_object();
  return object == nullptr ? nullptr : object->if_contains({member.data(), member.size()});
}

std::string scalar_text(const json::value& value) {
  if (const json::string* text = value.if_string()) return {text->data(), text->size()};
  if (value.is_null()) return {};
  return json::serialize(value);
}

std::string text_of(const json::value& object, std::string_view member) {
  const json::value* found = find(object, member);
  return found == nullptr ? std::string() : scalar_text(*found);
}

std::uint64_t number_of(const json::value& object, std::string_view member,
                        std::uint64_t otherwise) {
  const std::string text = text_of(object, member);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && !text.empty() ? number : otherwise;
}

std::string pretty(const json::value& value) {
  std::string out;
  write_pretty(out, value, 0);
  out += '\n';
  return out;
}

}  // namespace eventchain::tools
