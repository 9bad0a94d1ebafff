#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

namespace eventchain::tools {

// Text of others for a terminal: control characters, which could order it about, become question
// marks.
std::string printable(std::string text);

// Left-aligned columns with a heading, for people; nothing parses it (use -o json for that).
std::string table(const std::vector<std::string>& heading,
                  const std::vector<std::vector<std::string>>& rows);

// Each line no longer than `width` octets; 0: as long as it is.
std::string clipped(const std::string& lines, std::size_t width);

// One line for each scalar below `value`: dotted path, value.
std::string listing(const boost::json::value& value);

}  // namespace eventchain::tools
