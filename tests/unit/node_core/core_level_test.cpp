#include <doctest/doctest.h>

#include "tests/unit/node_core/crew_fixture.h"

// Programs of different feature levels in one cluster.
using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

namespace {

std::uint16_t level(const Crew& crew, std::size_t at) {
  return crew.members(at).feature_level;
}

bool are_at(const Crew& crew, std::size_t nodes, std::uint16_t wanted) {
  for (std::size_t at = 0; at < nodes; ++at)
    if (level(crew, at) != wanted) return false;
  return true;
}

bool has(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

// The block after which the members of this node were at the level for the first time.
chain::Height risen_at(Crew& crew, std::size_t at, std::uint16_t wanted) {
  chain::Height height{0};
  while (crew.nodes[at]->store.chain().members(height.next())->feature_level < wanted)
    height = height.next();
  return height;
}

}  // namespace

TEST_CASE("the level rises by itself, step by step, to what the programs of all voters can do") {
  Crew crew(3, 1, 0, {3, 4, 3, 3});
  CHECK(crew.run(30s, [&] { return are_at(crew, 3, 3); }));
  crew.run(5s);
  CHECK(are_at(crew, 3, 3));
  const auto status = crew.nodes[1]->core->status();
  CHECK(status.feature_level == 3);
  CHECK(status.program_level == 4);
  CHECK(status.peers[0].program_level == 3);
  CHECK(crew.errors.empty());
}

TEST_CASE("programs as shipped raise nothing") {
  Crew crew(3);
  crew.elect();
  crew.run(5s);
  CHECK(are_at(crew, 3, chain::kFeatureLevelMax));
  CHECK(crew.height(0) == chain::Height{0});
}

TEST_CASE("a voter with an older program holds the level up, and so does one that is away") {
  Crew crew(3, 0, 0, {2, 2, 1});
  crew.elect();
  crew.run(5s);
  CHECK(are_at(crew, 3, 1));
  // Nor can anybody raise it by hand.
  const auto by_hand = [&] {
    const net::Order raise = chain::MemberOrder{"ann", chain::RaiseFeatureLevel{2}};
    return crew.order(crew.elect(), raise, 3s);
  };
  const auto old = by_hand();
  CHECK(old.outcome == net::OrderOutcome::kNotNow);
  CHECK(has(old.message, "n2's program can do feature level 1 only; install the newer version"));

  crew.kill(2);
  crew.run(5s);
  const auto away = by_hand();
  CHECK(away.outcome == net::OrderOutcome::kNotNow);
  CHECK(has(away.message, "n2 is not linked to the leader"));
  CHECK(are_at(crew, 2, 1));

  crew.restart(2, 2);
  CHECK(crew.run(10s, [&] { return are_at(crew, 3, 2); }));
  CHECK(crew.outdated.empty());
  CHECK(crew.errors.empty());
}

TEST_CASE("the level waits until a change of voters is through, and counts the new voter") {
  Crew crew(3, 1, 0, {1, 1, 1, 1});
  crew.elect();
  crew.admit(3, chain::MemberRole::kStandby);
  crew.run(3s);
  CHECK(crew.order(crew.elect(), chain::SetRole{voter_id(3), chain::MemberRole::kVoter}).message ==
        "");
  for (std::size_t at = 0; at < 3; ++at) {
    crew.restart(at, 2);
    crew.elect();
  }
  crew.run(5s);
  CHECK(are_at(crew, 4, 1));
  crew.restart(3, 2);
  CHECK(crew.run(10s, [&] { return are_at(crew, 4, 2); }));
  CHECK(crew.errors.empty());
}

TEST_CASE("a member whose program is below the level does not become a voter") {
  Crew crew(3, 1, 0, {2, 2, 2, 1});
  for (std::size_t at = 0; at < 3; ++at) crew.cut(at, 3);
  REQUIRE(crew.run(30s, [&] { return are_at(crew, 3, 2); }));
  crew.admit(3, chain::MemberRole::kStandby);
  crew.run(3s);
  const std::size_t leader = crew.elect();
  // Linked, and it has not heard yet that it is too old.
  crew.handle(leader, crew.up_now(3));
  REQUIRE(crew.warnings.size() == 1);
  CHECK(has(crew.warnings[0], "peer runs a program that is too old peer=n3 level=1 cluster=2"));
  const net::Order promote =
      chain::MemberOrder{"ann", chain::SetRole{voter_id(3), chain::MemberRole::kVoter}};
  const auto refused = crew.order(leader, promote, 1s);
  CHECK(refused.outcome == net::OrderOutcome::kNotNow);
  CHECK(has(refused.message, "n3's program can do feature level 1 only, and the cluster is at 2"));

  crew.cuts.clear();
  crew.restart(3, 2);
  CHECK(crew.run(20s, [&] { return crew.height(3) == crew.height(leader); }));
  CHECK(crew.order(leader, promote).message == "");
  CHECK(crew.errors.empty());
}

TEST_CASE("an observer with an older program ends at the block that raised the level") {
  Crew crew(3, 1, 0, {1, 1, 1, 1});
  crew.elect();
  crew.admit(3, chain::MemberRole::kObserver);
  REQUIRE(crew.run(10s, [&] { return crew.height(3) == crew.height(0); }));
  for (std::size_t at = 0; at < 3; ++at) crew.cut(at, 3);
  for (std::size_t at = 0; at < 3; ++at) {
    crew.restart(at, 2);
    crew.elect();
  }
  REQUIRE(crew.run(30s, [&] { return are_at(crew, 3, 2); }));
  for (std::uint32_t i = 1; i <= 3; ++i)
    CHECK(crew.order(crew.elect(), chain::SetVoterPolicy{{0, i}}).message == "");
  const chain::Height risen = risen_at(crew, 0, 2);
  REQUIRE(risen < crew.height(0));

  // All those blocks come at once, and it stops amidst them.
  for (std::size_t at = 0; at < 3; ++at) crew.link(at, 3);
  REQUIRE(crew.run(10s, [&] { return crew.outdated.contains(3); }));
  CHECK(
      has(crew.outdated[3], "the cluster is at feature level 2, and this program can do level 1"));
  CHECK(crew.height(3) == risen);

  // A new start is no way out, a newer program is.
  crew.restart(3, 1);
  CHECK(crew.outdated.contains(3));
  CHECK(crew.height(3) == risen);
  crew.restart(3, 2);
  CHECK(crew.run(10s, [&] { return crew.height(3) == crew.height(0); }));
  CHECK(crew.outdated.empty());
  CHECK(crew.errors.empty());
}

TEST_CASE(
    "a voter that got an older program again at that very moment ends, and the others go on") {
  Crew crew(3, 0, 0, {2, 2, 1});
  if (crew.elect() == 2) {
    crew.order(2, net::Order(net::TransferLeadership{voter_id(0)}));
    REQUIRE(crew.run(10s, [&] { return crew.leader() == std::size_t{0}; }));
  }
  // As the others still know it.
  for (std::size_t at = 0; at < 2; ++at) crew.handle(at, PeerUp{voter_id(2), voter_store(2), 2});
  REQUIRE(crew.run(30s, [&] { return are_at(crew, 2, 2); }));
  CHECK(crew.run(10s, [&] { return crew.outdated.contains(2); }));
  CHECK(crew.height(2) == risen_at(crew, 0, 2));
  CHECK(crew.order(crew.elect(), chain::SetVoterPolicy{{0, 1}}).message == "");
  crew.restart(2, 2);
  CHECK(crew.run(10s, [&] { return crew.height(2) == crew.height(0); }));
  CHECK(crew.errors.empty());
}
