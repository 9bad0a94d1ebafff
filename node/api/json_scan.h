#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace eventchain::node::api {

// The raw text of the value that follows a member's name, whose closing quote is just before
// `behind`. Exact for valid JSON; for any other text some slice of it, which is of no use because
// the parser refuses that text.
std::string_view value_after_key(std::string_view json, std::size_t behind);

// A foreign name for an error text: shortened, and without what would garble a terminal or a log.
std::string in_quotes(std::string_view name);

}  // namespace eventchain::node::api
