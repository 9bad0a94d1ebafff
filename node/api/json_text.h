#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "chain/types.h"

namespace eventchain::node::api {

// Appends JSON text piece by piece, commas included, into one string; the raw data of events goes
// in unread. The caller keeps objects and arrays balanced.
class JsonText {
 public:
  JsonText& open_object() { return open('{'); }
  JsonText& close_object() { return close('}'); }
  JsonText& open_array() { return open('['); }
  JsonText& close_array() { return close(']'); }
  JsonText& key(std::string_view name);

  JsonText& text(std::string_view value);  // escaped; UTF-8 is passed on
  JsonText& number(std::int64_t value);
  JsonText& big(std::uint64_t value);  // as a string: JavaScript rounds beyond 2^53
  JsonText& real(double value);
  JsonText& boolean(bool value);
  JsonText& raw(std::string_view json);  // one JSON value

  // key() and value in one.
  JsonText& text(std::string_view name, std::string_view value) { return key(name).text(value); }
  JsonText& number(std::string_view name, std::int64_t value) { return key(name).number(value); }
  JsonText& big(std::string_view name, std::uint64_t value) { return key(name).big(value); }
  JsonText& boolean(std::string_view name, bool value) { return key(name).boolean(value); }

  void reserve(std::size_t size) { out_.reserve(size); }
  [[nodiscard]] std::size_t size() const { return out_.size(); }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  JsonText& open(char bracket);
  JsonText& close(char bracket);
  void before_value();

  std::string out_;
  bool needs_comma_ = false;
};

// RFC 3339, UTC, milliseconds: "2025-01-31T12:00:00.000Z".
std::string rfc3339(chain::UnixMillis time);
// What rfc3339() writes, with or without milliseconds; nullopt for anything else.
std::optional<chain::UnixMillis> parse_rfc3339(std::string_view text);

}  // namespace eventchain::node::api
