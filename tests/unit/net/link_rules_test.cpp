#include "net/link_rules.h"

#include <doctest/doctest.h>

#include <string>

using namespace eventchain;
using namespace eventchain::net;
using namespace std::chrono_literals;

namespace {

const chain::NodeId kSmall = *chain::NodeId::from(std::string(16, 'a'));
const chain::NodeId kLarge = *chain::NodeId::from(std::string(16, 'b'));

bool replaces_young(chain::NodeId self, chain::NodeId peer, Origin old_link, Origin new_link) {
  return replaces({self, peer}, old_link, new_link, 1s, 5s);
}

}  // namespace

TEST_CASE("of two crossing connections both ends keep the one dialled by the smaller id") {
  // The small one dialled A, the large one dialled B; each end may see them in either order.
  for (const bool small_sees_a_first : {true, false}) {
    for (const bool large_sees_a_first : {true, false}) {
      const Origin a_at_small = Origin::kDialled;
      const Origin b_at_small = Origin::kAccepted;
      const bool small_keeps_a = small_sees_a_first
                                     ? !replaces_young(kSmall, kLarge, a_at_small, b_at_small)
                                     : replaces_young(kSmall, kLarge, b_at_small, a_at_small);
      const Origin a_at_large = Origin::kAccepted;
      const Origin b_at_large = Origin::kDialled;
      const bool large_keeps_a = large_sees_a_first
                                     ? !replaces_young(kLarge, kSmall, a_at_large, b_at_large)
                                     : replaces_young(kLarge, kSmall, b_at_large, a_at_large);
      CHECK(small_keeps_a);
      CHECK(large_keeps_a);
    }
  }
}

TEST_CASE("an end that dials again has lost the old link") {
  CHECK(replaces_young(kSmall, kLarge, Origin::kAccepted, Origin::kAccepted));
  CHECK(replaces_young(kLarge, kSmall, Origin::kDialled, Origin::kDialled));
}

TEST_CASE("a link too old to be crossed gives way to a new connection") {
  CHECK_FALSE(replaces({kSmall, kLarge}, Origin::kDialled, Origin::kAccepted, 5s, 5s));
  CHECK(replaces({kSmall, kLarge}, Origin::kDialled, Origin::kAccepted, 6s, 5s));
}
