#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

namespace eventchain::tools {

// Left-aligned columns with a heading, for people; nothing parses it (use -o json for that).
std::string table(const std::vector<std::string>& heading,
                  const std::vector<std::vector<std::string>>& rows);

// One line for each scalar below `value`: dotted path, value.
std::string listing(const boost::json::value& value);

}  // namespace eventchain::tools
