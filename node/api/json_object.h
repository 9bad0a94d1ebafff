#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "chain/result.h"
#include "chain/types.h"

namespace eventchain::node::api {

// Any one JSON text of few levels, under check_json()'s rules.
chain::Result<boost::json::value> parse_json(std::string_view text);

// Reads the members of one JSON object by their names. The first thing wrong is kept, everything
// asked after it is void, and finish() tells it; so a caller reads all it knows and looks once.
class JsonObject {
 public:
  // `where` begins the message. `value` outlives this.
  JsonObject(const boost::json::value& value, std::string where);

  std::string text(const char* name);
  std::optional<std::string> optional_text(const char* name);
  std::int64_t integer(const char* name, std::int64_t low, std::int64_t high);
  template <class T>
  T integer(const char* name) {
    return static_cast<T>(integer(name, 0, std::int64_t{std::numeric_limits<T>::max()}));
  }
  template <class Kind>
  Kind hex(const char* name) {
    return hex_of<Kind>(name, text(name));
  }
  template <class Kind>
  std::optional<Kind> optional_hex(const char* name) {
    const auto given = optional_text(name);
    if (!given) return std::nullopt;
    return hex_of<Kind>(name, *given);
  }
  // nullptr and a complaint if it is missing.
  const boost::json::value* member(const char* name);

  [[nodiscard]] bool has(const char* name) const;
  void refuse(std::string what);
  // An error too if the object has a member that nobody asked for.
  chain::Result<void> finish();

 private:
  std::optional<std::string> text_in(const char* name, const boost::json::value& value);
  void refuse_hex(const char* name, std::size_t octets);
  template <class Kind>
  Kind hex_of(const char* name, std::string_view text) {
    const auto octets = chain::from_hex(text);
    const auto value = octets ? Kind::from(*octets) : std::nullopt;
    if (!value) refuse_hex(name, Kind::kSize);
    return value.value_or(Kind{});
  }

  std::string where_;
  const boost::json::object* object_ = nullptr;
  std::set<std::string, std::less<>> seen_;
  std::string error_;
};

}  // namespace eventchain::node::api
