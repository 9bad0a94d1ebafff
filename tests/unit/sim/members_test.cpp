#include <doctest/doctest.h>

#include <set>
#include <utility>

#include "tests/sim/cluster.h"
#include "tests/sim/orders.h"

using namespace eventchain;
using namespace eventchain::sim;
using namespace std::chrono_literals;

namespace {

constexpr chain::Height kAsOf{4};

ClusterOptions three_and_one_more() {
  ClusterOptions options;
  options.seed = 5;
  options.joiners = 1;
  return options;
}

// The genesis and the hosts of such a cluster; nothing runs.
class World : public Network::Receiver {
 public:
  explicit World(const ClusterOptions& options = three_and_one_more())
      : cluster_(options), trace_(scheduler_, false) {}

  void link_up(std::size_t at, std::size_t peer) override { up_.insert({at, peer}); }
  void link_down(std::size_t at, std::size_t peer) override { up_.erase({at, peer}); }
  void said(std::size_t, std::size_t, net::Message) override {}

  [[nodiscard]] const Roster& roster() const { return cluster_.roster(); }
  [[nodiscard]] const chain::Genesis& genesis() const { return cluster_.genesis(); }
  Network make_network() {
    return Network(roster().size(), {}, scheduler_, trace_, *this, chain::Rng(1));
  }
  [[nodiscard]] bool are_linked(std::size_t a, std::size_t b) const {
    return up_.contains({a, b}) && up_.contains({b, a});
  }
  void pass(Span span) { scheduler_.run_until(scheduler_.now() + span); }

 private:
  Cluster cluster_;
  Scheduler scheduler_;
  Trace trace_;
  std::set<std::pair<std::size_t, std::size_t>> up_;
};

// A block as the checker sees it: orders on top of the newest set.
chain::Block block_with(const MemberChecker& checker, const std::vector<net::Order>& orders) {
  chain::Block block;
  block.sealed.header.height = checker.newest_height();
  block.sealed.header.member_set = chain::member_set_hash(*checker.newest());
  block.sealed.header.time = {1'750'000'000'000};
  for (const auto& order : orders)
    block.content.annex.emplace_back(std::get<chain::MemberOrder>(order));
  return block;
}

void extend(MemberChecker& checker, const std::vector<net::Order>& orders) {
  for (const net::Order& order : orders) checker.ordered(order);
  checker.extended({block_with(checker, orders)});
}

// The block that admits the joiner.
chain::Height admit(MemberChecker& checker, const Machine& machine,
                    OrderKind invitation = OrderKind::kInviteStandby) {
  extend(checker, {make_order(invitation, machine, *checker.newest())});
  extend(checker, {make_order(OrderKind::kAdmit, machine, *checker.newest())});
  return chain::Height{checker.newest_height().value - 1};
}

}  // namespace

TEST_CASE("a link lives while each end knows the other as a member, or a stranger its seed") {
  World world;
  Network network = world.make_network();
  MemberChecker checker(world.genesis(), world.roster().size());
  const chain::MembersRef first = checker.newest();
  Links links(world.roster(), network, first);
  for (std::size_t host = 0; host < world.roster().size(); ++host) network.node_up(host);
  world.pass(2s);
  CHECK(world.are_linked(0, 1));
  CHECK_FALSE(world.are_linked(0, 3));

  admit(checker, world.roster()[3]);
  links.knows(0, checker.newest(), kAsOf, {});
  world.pass(2s);
  CHECK(world.are_linked(0, 3));
  CHECK_FALSE(world.are_linked(1, 3));

  // n3 knows that it is a member; n0 and the others have not heard of it, or not any more.
  links.knows(3, checker.newest(), kAsOf, {});
  links.knows(0, first, kAsOf.next(), {});
  world.pass(2s);
  CHECK_FALSE(world.are_linked(0, 3));
  const auto refusing = links.refusing(3);
  REQUIRE(refusing.size() == 3);
  CHECK(refusing[0].peer == 0);
  CHECK(refusing[0].as_of == kAsOf.next());
  CHECK(refusing[1].as_of == chain::Height{0});
  CHECK(links.refusing(0).empty());
}

TEST_CASE("two light members are not linked, and each is with a full one") {
  ClusterOptions options = three_and_one_more();
  options.joiners = 2;
  World world(options);
  Network network = world.make_network();
  MemberChecker checker(world.genesis(), world.roster().size());
  const chain::MembersRef first = checker.newest();
  admit(checker, world.roster()[3], OrderKind::kInviteLight);
  admit(checker, world.roster()[4], OrderKind::kInviteLight);
  Links links(world.roster(), network, first);
  for (std::size_t host = 0; host < world.roster().size(); ++host)
    links.knows(host, checker.newest(), kAsOf, {});
  CHECK(links.are_allowed(0, 3));
  CHECK(links.are_allowed(0, 4));
  CHECK_FALSE(links.are_allowed(3, 4));
}

TEST_CASE("a stranger is told of members that are no seeds") {
  World world;
  Network network = world.make_network();
  MemberChecker checker(world.genesis(), world.roster().size());
  const chain::MembersRef first = checker.newest();
  admit(checker, world.roster()[3]);
  Links links(world.roster(), network, first);
  // The voter n1 knows n3 alone; n3 is behind and knows the genesis only.
  links.knows(1, checker.newest(), kAsOf, {});
  chain::MemberSet others = *checker.newest();
  std::erase_if(others.members,
                [&](const auto& one) { return one.node == world.roster().node(0); });
  CHECK(links.are_allowed(1, 3));
  links.knows(3, std::make_shared<const chain::MemberSet>(others), kAsOf, {});
  links.knows(0, checker.newest(), kAsOf, {});
  CHECK_FALSE(links.are_allowed(0, 3));
  links.is_told(3, *checker.newest());
  CHECK(links.are_allowed(0, 3));
}

TEST_CASE("who belongs at a height follows from the orders in the blocks below it") {
  World world;
  const Machine& joiner = world.roster()[3];
  MemberChecker checker(world.genesis(), world.roster().size());
  const chain::Height admitted = admit(checker, joiner);
  CHECK(chain::find_member(*checker.at(admitted), joiner.member.node) == nullptr);
  const chain::Member* member =
      chain::find_member(*checker.at(admitted.next()), joiner.member.node);
  REQUIRE(member != nullptr);
  CHECK(member->role == chain::MemberRole::kStandby);
  CHECK(checker.raft_may_have(checker.newest_height()).size() == 1);

  extend(checker, {make_order(OrderKind::kPromote, joiner, *checker.newest())});
  CHECK(world.roster().voters(*checker.newest()).size() == 4);
  const auto sets = checker.raft_may_have(checker.newest_height());
  REQUIRE(sets.size() == 2);
  CHECK(chain::count_voters(*sets[1]) == 3);

  extend(checker, {make_order(OrderKind::kDemote, joiner, *checker.newest())});
  extend(checker, {make_order(OrderKind::kRemove, joiner, *checker.newest())});
  CHECK(world.roster().members(*checker.newest()).size() == 3);
  CHECK(checker.has_belonged(joiner.member.node));
}

TEST_CASE("a block that names another set, or breaks a rule of members, is a violation") {
  World world;
  const Machine& joiner = world.roster()[3];
  MemberChecker checker(world.genesis(), world.roster().size());
  chain::Block other = block_with(checker, {});
  other.sealed.header.member_set = {};
  CHECK_THROWS_AS(checker.extended({other}), Violation);
  CHECK_THROWS_AS(extend(checker, {make_order(OrderKind::kAdmit, joiner, *checker.newest())}),
                  Violation);
}

TEST_CASE("a block has no order but an operator's, and what a leader makes of it") {
  World world;
  const auto role_of_first = [&world](std::string by) {
    return net::Order{chain::MemberOrder{
        std::move(by), chain::SetRole{world.roster().node(0), chain::MemberRole::kStandby}}};
  };
  MemberChecker checker(world.genesis(), world.roster().size());
  for (const char* by : {"operator", "policy"}) {
    INFO(by);
    CHECK_THROWS_AS(checker.extended({block_with(checker, {role_of_first(by)})}), Violation);
  }
  CHECK_NOTHROW(checker.extended({block_with(
      checker, {net::Order{chain::MemberOrder{"policy", chain::RaiseFeatureLevel{2}}}})}));

  // A voter gives up its vote before it leaves.
  checker.ordered(make_order(OrderKind::kRemove, world.roster()[0], *checker.newest()));
  CHECK_NOTHROW(checker.extended({block_with(checker, {role_of_first("operator")})}));

  extend(checker, {make_policy(3, 1000)});
  CHECK_NOTHROW(checker.extended({block_with(
      checker,
      {net::Order{chain::MemberOrder{
          "policy", chain::SetRole{world.roster().node(1), chain::MemberRole::kStandby}}}})}));
}

TEST_CASE("an order is done by the block that has it and by no other") {
  World world;
  const Machine& joiner = world.roster()[3];
  MemberChecker checker(world.genesis(), world.roster().size());
  extend(checker, {make_order(OrderKind::kInviteStandby, joiner, *checker.newest())});
  net::Order order = make_order(OrderKind::kAdmit, joiner, *checker.newest());
  const chain::Height height = checker.newest_height();
  extend(checker, {order});
  CHECK_NOTHROW(checker.answered(0, order, height));
  // The leader gives the slot.
  std::get<chain::Admit>(std::get<chain::MemberOrder>(order).what).member.slot = chain::Slot{77};
  CHECK_NOTHROW(checker.answered(0, order, height));
  CHECK_THROWS_AS(checker.answered(0, order, chain::Height{1}), Violation);
  CHECK_THROWS_AS(checker.answered(0, order, height.next()), Violation);
  CHECK_THROWS_AS(
      checker.answered(0, make_order(OrderKind::kRemove, joiner, *checker.newest()), height),
      Violation);
}

TEST_CASE("who is invited as light is set up as a light member, and counts for no quorum") {
  Cluster cluster(three_and_one_more());
  cluster.start_genesis();
  REQUIRE(cluster.run_until([&] { return cluster.leader().has_value(); }, 30s));
  const auto give = [&](OrderKind kind) {
    const net::Order order = make_order(kind, cluster.roster()[3], *cluster.membership().newest());
    const std::uint64_t orders = cluster.membership().orders();
    cluster.order(*cluster.leader(), order, 30s, [](const auto&) {});
    REQUIRE(cluster.run_until([&] { return cluster.membership().orders() > orders; }, 60s));
  };
  CHECK_FALSE(cluster.host(3).is_light());
  give(OrderKind::kInviteLight);
  give(OrderKind::kAdmit);
  REQUIRE(cluster.run_until([&] { return cluster.is_settled(cluster.members()); }, 60s));
  CHECK(cluster.host(3).is_light());
  CHECK(cluster.light().members() == 1);
  CHECK(cluster.light().headers() == cluster.chain().height().value);
  CHECK(cluster.is_quorum({0, 1}));
  CHECK_FALSE(cluster.is_quorum({0, 3}));
  CHECK_NOTHROW(cluster.verify());
}

TEST_CASE("a host that was not admitted does not run, and the others miss nothing") {
  Cluster cluster(three_and_one_more());
  cluster.start_genesis();
  REQUIRE(cluster.run_until([&] { return cluster.leader().has_value(); }, 30s));
  cluster.heal_members();
  CHECK_FALSE(cluster.host(3).is_alive());
  cluster.revive(3);
  CHECK_FALSE(cluster.host(3).is_alive());
  CHECK(cluster.run_until([&] { return cluster.is_settled(cluster.members()); }, 60s));
  CHECK(cluster.is_quorum({0, 1}));
  CHECK_FALSE(cluster.is_quorum({0, 3}));
}
