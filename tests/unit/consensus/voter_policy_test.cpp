#include "consensus/voter_policy.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "chain/rng.h"

using namespace eventchain;
using namespace eventchain::consensus;
using namespace std::chrono_literals;
using chain::MemberRole;

namespace {

chain::NodeId node(std::size_t place) {
  chain::NodeId id;
  id.octets[0] = static_cast<std::uint8_t>(place + 1);
  return id;
}

// Members with their roles and sites; everybody is linked and caught up until the test says else.
// The first one leads.
struct Members {
  explicit Members(std::vector<std::pair<MemberRole, std::string>> list, std::uint8_t wanted = 3) {
    set.policy = {wanted, 1000};
    for (std::size_t place = 0; place < list.size(); ++place) {
      chain::Member member;
      member.node = node(place);
      member.slot = chain::Slot{static_cast<std::uint16_t>(place)};
      member.role = list[place].first;
      member.site = list[place].second;
      set.members.push_back(member);
      health[member.node] = {true, true, {}};
    }
  }
  void away(std::size_t place, std::chrono::milliseconds since) {
    health[node(place)] = {false, false, since};
  }
  [[nodiscard]] std::optional<chain::SetRole> step() const {
    return next_voter_step(set, health, node(0));
  }
  // Carries steps out until none is left.
  std::size_t settle() {
    std::size_t steps = 0;
    while (const auto next = step()) {
      REQUIRE(steps < 50);
      ++steps;
      for (auto& member : set.members)
        if (member.node == next->node) member.role = next->role;
    }
    return steps;
  }
  [[nodiscard]] std::vector<std::size_t> voters() const {
    std::vector<std::size_t> places;
    for (std::size_t place = 0; place < set.members.size(); ++place)
      if (set.members[place].role == MemberRole::kVoter) places.push_back(place);
    return places;
  }

  chain::MemberSet set;
  std::map<chain::NodeId, MemberHealth> health;
};

constexpr auto kVoter = MemberRole::kVoter;
constexpr auto kStandby = MemberRole::kStandby;
constexpr auto kObserver = MemberRole::kObserver;
constexpr auto kLight = MemberRole::kLight;
using Places = std::vector<std::size_t>;

}  // namespace

TEST_CASE("without a policy, or with all as it should be, nothing happens") {
  Members idle({{kVoter, ""}, {kVoter, ""}, {kVoter, ""}, {kStandby, ""}});
  CHECK_FALSE(idle.step());
  Members off({{kVoter, ""}, {kStandby, ""}, {kStandby, ""}}, 0);
  CHECK_FALSE(off.step());
}

TEST_CASE("missing voters come from standbys first, spread over the sites") {
  Members few({{kVoter, "a"},
               {kObserver, "d"},
               {kStandby, "a"},
               {kStandby, "b"},
               {kStandby, "b"},
               {kStandby, "c"}});
  CHECK(few.settle() == 2);
  CHECK(few.voters() == Places{0, 3, 5});
}

TEST_CASE("observers are taken where no standby is left, light members never") {
  Members few({{kVoter, ""}, {kLight, ""}, {kObserver, ""}, {kStandby, ""}});
  CHECK(few.settle() == 2);
  CHECK(few.voters() == Places{0, 2, 3});
}

TEST_CASE("a lost voter is replaced when the grace is over: one more first, then one less") {
  Members one({{kVoter, "a"}, {kVoter, "b"}, {kVoter, "c"}, {kStandby, "c"}});
  one.away(1, 999ms);
  CHECK_FALSE(one.step());
  one.away(1, 1000ms);
  const auto first = one.step();
  REQUIRE(first);
  CHECK(*first == chain::SetRole{node(3), kVoter});
  CHECK(one.settle() == 2);
  CHECK(one.voters() == Places{0, 2, 3});
}

TEST_CASE("a lost voter stays if nobody can take its place") {
  Members one({{kVoter, ""}, {kVoter, ""}, {kVoter, ""}, {kStandby, ""}});
  one.away(1, 1h);
  one.away(3, 1h);
  CHECK_FALSE(one.step());
  one.health[node(3)] = {true, false, {}};  // back, and far behind
  CHECK_FALSE(one.step());
  one.health[node(3)] = {true, true, {}, true};  // caught up with a program that is too old
  CHECK_FALSE(one.step());
  one.health[node(3)].is_too_old = false;
  CHECK(one.step() == chain::SetRole{node(3), kVoter});
}

TEST_CASE("too many voters: the fullest site gives one, never the leader") {
  Members many({{kVoter, "a"}, {kVoter, "a"}, {kVoter, "b"}, {kVoter, "c"}});
  CHECK(many.settle() == 1);
  CHECK(many.voters() == Places{0, 2, 3});
}

TEST_CASE("of seven wanted a lost one goes first, because there is no room for eight") {
  Members seven({{kVoter, ""},
                 {kVoter, ""},
                 {kVoter, ""},
                 {kVoter, ""},
                 {kVoter, ""},
                 {kVoter, ""},
                 {kVoter, ""},
                 {kStandby, ""}},
                7);
  seven.away(4, 1h);
  CHECK(*seven.step() == chain::SetRole{node(4), kStandby});
  CHECK(seven.settle() == 2);
  CHECK(seven.voters() == Places{0, 1, 2, 3, 5, 6, 7});
}

TEST_CASE("whoever is away and whatever is wanted, each step leaves a majority and they end") {
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    INFO("seed " << seed);
    chain::Rng rng(seed);
    std::vector<std::pair<MemberRole, std::string>> list{{kVoter, "a"}};
    for (std::uint64_t i = rng.below(10); i > 0; --i)
      list.emplace_back(static_cast<MemberRole>(1 + rng.below(4)),
                        std::string(1, static_cast<char>('a' + rng.below(3))));
    Members some(std::move(list), static_cast<std::uint8_t>(3 + 2 * rng.below(3)));
    if (some.voters().size() > chain::kVotersMax) continue;
    for (std::size_t place = 1; place < some.set.members.size(); ++place) {
      if (rng.chance(1, 3)) some.away(place, std::chrono::milliseconds(rng.below(2000)));
      if (rng.chance(1, 5)) some.health[node(place)].is_caught_up = false;
    }
    const auto linked = [&] {
      const auto voters = some.voters();
      return static_cast<std::size_t>(std::count_if(voters.begin(), voters.end(), [&](auto place) {
        return some.health[node(place)].is_linked;
      }));
    };
    if (linked() <= some.voters().size() / 2) continue;  // nobody leads such a cluster
    std::size_t steps = 0;
    while (const auto next = some.step()) {
      REQUIRE(++steps <= 30);
      CHECK(next->node != node(0));
      for (auto& member : some.set.members) {
        if (member.node != next->node) continue;
        CHECK(member.role != next->role);
        if (next->role == kVoter) CHECK(some.health[member.node].is_caught_up);
        member.role = next->role;
      }
      CHECK(linked() > some.voters().size() / 2);
      CHECK(some.voters().size() <= chain::kVotersMax);
    }
  }
}
