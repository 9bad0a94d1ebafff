#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "chain/result.h"

// The little that the command needs of JSON beyond Boost.JSON itself.
namespace eventchain::tools {

// `what` names the text in the error.
chain::Result<boost::json::value> parse_json(std::string_view text, const std::string& what);

// A member as text: strings as they are, numbers and booleans spelled out, "" when absent or null.
std::string text_of(const boost::json::value& object, std::string_view member);
// Absent, or no number (a numeric string counts: numbers beyond 2^53 travel as strings).
std::uint64_t number_of(const boost::json::value& object, std::string_view member,
                        std::uint64_t otherwise = 0);
// nullptr unless `value` is an object that has the member.
const boost::json::value* find(const boost::json::value& value, std::string_view member);
// One level of a scalar: a string without quotes.
std::string scalar_text(const boost::json::value& value);

// Indented, members in the order they were given, a line end at the end.
std::string pretty(const boost::json::value& value);

}  // namespace eventchain::tools
