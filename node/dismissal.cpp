#include "node/dismissal.h"

#include <cstddef>

namespace eventchain::node {

bool Dismissal::is_certain(const Members& members, chain::Height tip) const {
  if (members.self() == nullptr) return false;
  std::size_t others = 0;
  std::size_t refuse = 0;
  for (const chain::NodeId& voter : members.voters()) {
    if (voter == members.self_id()) continue;
    ++others;
    const auto found = refusals_.find(voter);
    if (found != refusals_.end() && found->second > tip) ++refuse;
  }
  return refuse > others / 2;
}

}  // namespace eventchain::node
