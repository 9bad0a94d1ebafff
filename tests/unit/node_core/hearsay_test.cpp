#include "node/hearsay.h"

#include <doctest/doctest.h>

#include "tests/unit/node_core/node_core_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

namespace {

// A node without a vote, and three voters.
struct Listener {
  void hear(std::size_t voter, std::uint64_t term, std::optional<std::size_t> leader,
            std::uint64_t height = 1, std::optional<std::chrono::milliseconds> age = {}) {
    net::TipSaid said{chain::Height{height}, {}, consensus::Term{term}, {}, age};
    if (leader) said.leader = voter_id(*leader);
    hearsay.heard(voter_id(voter), said, tip, now);
  }

  Members members{members_of(easy_genesis(3)), voter_id(5)};
  Hearsay hearsay{members};
  chain::Height tip{1};
  chain::Instant now{10s};
};

}  // namespace

TEST_CASE("the leader of the latest term counts, and nobody where that term has none yet") {
  Listener one;
  CHECK_FALSE(one.hearsay.latest().has_value());
  one.hear(0, 3, 0);
  one.hear(1, 4, 1);
  one.hear(2, 4, {});
  REQUIRE(one.hearsay.latest().has_value());
  CHECK(one.hearsay.latest()->leader == voter_id(1));
  CHECK(one.hearsay.latest()->term == consensus::Term{4});
  one.hear(2, 5, {});
  CHECK_FALSE(one.hearsay.latest()->leader.has_value());
  one.hearsay.peer_down(voter_id(2));
  CHECK(one.hearsay.latest()->leader == voter_id(1));
}

TEST_CASE("a word without a term, or of a node without a vote, says nothing") {
  Listener one;
  one.hear(0, 0, 1);
  one.hear(4, 3, 1, 1, 0ms);
  CHECK_FALSE(one.hearsay.latest().has_value());
  CHECK_FALSE(one.hearsay.as_of().has_value());
}

TEST_CASE("a node is as fresh as its voter was, once it has come as far") {
  Listener one;
  one.hear(0, 3, 0, 1, 300ms);
  CHECK(one.hearsay.as_of() == chain::Instant{9700ms});
  one.now = chain::Instant{11s};
  one.hear(0, 3, 0, 3, 100ms);
  CHECK(one.hearsay.as_of() == chain::Instant{9700ms});
  one.tip = chain::Height{2};
  one.hearsay.tip_moved(one.tip);
  CHECK(one.hearsay.as_of() == chain::Instant{9700ms});
  one.tip = chain::Height{3};
  one.hearsay.tip_moved(one.tip);
  CHECK(one.hearsay.as_of() == chain::Instant{10900ms});
  // A voter that is cut off knows less; that makes nobody older.
  one.hear(1, 3, 0, 2, 900ms);
  CHECK(one.hearsay.as_of() == chain::Instant{10900ms});
}

TEST_CASE("who never catches up keeps the heights that it reaches first") {
  Listener one;
  for (std::uint64_t height = 2; height < 1000; ++height) {
    one.now = chain::Instant{std::chrono::seconds(height)};
    one.hear(0, 3, 0, height, 0ms);
  }
  one.tip = chain::Height{5};
  one.hearsay.tip_moved(one.tip);
  CHECK(one.hearsay.as_of() == chain::Instant{5s});
}
