#include "node/api/json_text.h"

#include <fmt/format.h>

#include <chrono>
#include <iterator>

#include "chain/text.h"

namespace eventchain::node::api {

namespace {

bool must_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out.append("\\\"");
      return;
    case '\\':
      out.append("\\\\");
      return;
    case '\n':
      out.append("\\n");
      return;
    case '\r':
      out.append("\\r");
      return;
    case '\t':
      out.append("\\t");
      return;
    default:
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
      return;
  }
}

}  // namespace

void JsonText::before_value() {
  if (needs_comma_) out_.push_back(',');
  needs_comma_ = true;
}

JsonText& JsonText::open(char bracket) {
  before_value();
  out_.push_back(bracket);
  needs_comma_ = false;
  return *this;
}

JsonText& JsonText::close(char bracket) {
  out_.push_back(bracket);
  needs_comma_ = true;
  return *this;
}

JsonText& JsonText::key(std::string_view name) {
  text(name);
  out_.push_back(':');
  needs_comma_ = false;
  return *this;
}

JsonText& JsonText::text(std::string_view value) {
  before_value();
  out_.push_back('"');
  std::size_t plain = 0;
  for (std::size_t at = 0; at < value.size(); ++at) {
    if (!must_escape(value[at])) continue;
    out_.append(value.substr(plain, at - plain));
    append_escape(out_, value[at]);
    plain = at + 1;
  }
  out_.append(value.substr(plain));
  out_.push_back('"');
  return *this;
}

JsonText& JsonText::number(std::int64_t value) {
  before_value();
  fmt::format_to(std::back_inserter(out_), "{}", value);
  return *this;
}

JsonText& JsonText::big(std::uint64_t value) {
  before_value();
  fmt::format_to(std::back_inserter(out_), "\"{}\"", value);
  return *this;
}

JsonText& JsonText::real(double value) {
  before_value();
  fmt::format_to(std::back_inserter(out_), "{}", value);
  return *this;
}

JsonText& JsonText::boolean(bool value) {
  return raw(value ? "true" : "false");
}

JsonText& JsonText::raw(std::string_view json) {
  before_value();
  out_.append(json);
  return *this;
}

std::string rfc3339(chain::UnixMillis time) {
  return chain::rfc3339(time);
}

std::optional<chain::UnixMillis> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  if (!chain::is_timestamp(text) || text.back() != 'Z') return std::nullopt;
  const auto number = [text](std::size_t at, std::size_t digits) {
    int value = 0;
    for (const char c : text.substr(at, digits)) value = 10 * value + (c - '0');
    return value;
  };
  const bool has_millis = text.size() == 24;
  if (!has_millis && text.size() != 20) return std::nullopt;
  const sys_days day = year(number(0, 4)) / month(static_cast<unsigned>(number(5, 2))) /
                       std::chrono::day(static_cast<unsigned>(number(8, 2)));
  const auto at = day + hours(number(11, 2)) + minutes(number(14, 2)) + seconds(number(17, 2)) +
                  milliseconds(has_millis ? number(20, 3) : 0);
  return chain::UnixMillis{at.time_since_epoch() / milliseconds(1)};
}

}  // namespace eventchain::node::api
