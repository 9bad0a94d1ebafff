#include "node/dismissal.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/node_core/light_fixture.h"
#include "tests/unit/node_core/voter_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;

namespace {

constexpr chain::Height kTip{5};

bool is_removed(const std::vector<Effect>& effects) {
  return std::ranges::any_of(effects,
                             [](const auto& one) { return std::holds_alternative<Removed>(one); });
}

}  // namespace

TEST_CASE("a majority of the other voters removes a node, by what came after its tip") {
  const Members members(members_of(easy_genesis(5)), voter_id(0));
  Dismissal dismissal;
  CHECK_FALSE(dismissal.is_certain(members, kTip));
  dismissal.refused(voter_id(1), kTip.next());
  dismissal.refused(voter_id(2), kTip.next());
  dismissal.refused(voter_id(2), kTip.next());  // again is no further voter
  CHECK_FALSE(dismissal.is_certain(members, kTip));
  dismissal.refused(voter_id(9), kTip.next());  // no voter
  CHECK_FALSE(dismissal.is_certain(members, kTip));
  dismissal.refused(voter_id(3), kTip);  // knows no more than this node
  CHECK_FALSE(dismissal.is_certain(members, kTip));
  dismissal.refused(voter_id(3), kTip.next());
  CHECK(dismissal.is_certain(members, kTip));
  CHECK_FALSE(dismissal.is_certain(members, kTip.next()));  // they said it before they knew
  dismissal.linked(voter_id(1));                            // it does know this node
  CHECK_FALSE(dismissal.is_certain(members, kTip));
}

TEST_CASE("of two voters the other one is the majority, and one alone is removed by nobody") {
  const Members pair(members_of(easy_genesis(2)), voter_id(0));
  Dismissal dismissal;
  dismissal.refused(voter_id(1), kTip.next());
  CHECK(dismissal.is_certain(pair, kTip));
  const Members alone(members_of(easy_genesis(1)), voter_id(0));
  CHECK_FALSE(dismissal.is_certain(alone, kTip));
}

TEST_CASE("a node that is no member by what it knows is not removed by those who know as little") {
  const Members members(members_of(easy_genesis(3)), voter_id(7));
  Dismissal dismissal;
  for (const std::size_t voter : {0U, 1U, 2U}) dismissal.refused(voter_id(voter), kTip.next());
  CHECK_FALSE(dismissal.is_certain(members, kTip));
}

TEST_CASE("a voter that was removed while it was away ends once the others have told it") {
  Voter voter;
  voter.core->handle(voter.now, PeerDown{voter_id(1)});
  voter.core->handle(voter.now, PeerDown{voter_id(2)});
  voter.core->handle(voter.now, PeerRefused{voter_id(1), chain::Height{1}});
  CHECK_FALSE(is_removed(voter.end_turn()));
  voter.core->handle(voter.now, PeerRefused{voter_id(2), chain::Height{1}});
  CHECK(is_removed(voter.end_turn()));
}

TEST_CASE("a light member that was removed while it was away ends, too") {
  Light light;
  light.follow(5);
  light.handle(PeerRefused{voter_id(0), chain::Height{6}});
  CHECK_FALSE(is_removed(light.seen));
  light.handle(PeerRefused{voter_id(1), chain::Height{6}});
  CHECK(is_removed(light.seen));
}
