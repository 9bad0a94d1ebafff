#pragma once

#include <boost/json.hpp>
#include <string>

#include "tools/eventchain/rewrite_cost.h"

namespace eventchain::tools {

// For people: what is to be redone, a table of who could, what each figure rests on, and what no
// figure says.
std::string cost_text(const RewriteCost& cost);
// For programs: the same. Absent members are what is not known; null is never.
boost::json::value cost_json(const RewriteCost& cost);

// "1.20 GH/s", "3.4 days": for people.
std::string rate_text(double hashes_per_second);
std::string duration_text(double seconds);

}  // namespace eventchain::tools
