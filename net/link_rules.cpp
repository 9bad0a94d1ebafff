#include "net/link_rules.h"

namespace eventchain::net {

bool replaces(const LinkEnds& ends, Origin old_link, Origin new_link,
              std::chrono::nanoseconds old_age, std::chrono::nanoseconds crossing_max) {
  if (old_link == new_link || old_age > crossing_max) return true;
  const chain::NodeId& dialler = new_link == Origin::kDialled ? ends.self : ends.peer;
  const chain::NodeId& other = new_link == Origin::kDialled ? ends.peer : ends.self;
  return dialler < other;
}

}  // namespace eventchain::net
