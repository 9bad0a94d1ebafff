// Orders given at a node without a vote that is not linked to the leader, and what such a node
// knows.

#include <doctest/doctest.h>

#include "tests/unit/node_core/crew_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kObserver = 3;

chain::SetRole role(std::size_t place, chain::MemberRole to) {
  return {voter_id(place), to};
}

net::OrderAsk* asked_by_observer(Crew::Letter& letter) {
  return letter.from == kObserver ? std::get_if<net::OrderAsk>(&letter.message) : nullptr;
}

// Three voters and an observer that is linked to the two of them that do not lead.
struct Outside {
  Outside() : crew(3, 1) {
    crew.elect();
    crew.admit(kObserver, chain::MemberRole::kObserver);
    crew.run(3s, [&] { return crew.height(kObserver) == crew.height(0); });
    leader = crew.elect();
    crew.cut(kObserver, leader);
  }
  void give(net::Order order) {
    crew.handle(kObserver, ClientOrders{RequestId{++crew.last_request}, std::move(order),
                                        crew.now.steady + 20s});
  }
  bool is_answered() {
    return crew.run(20s, [&] {
      return !crew.orders.empty() && crew.orders.back().request.value == crew.last_request;
    });
  }
  std::size_t count(const chain::MemberOrder& order) { return count_blocks(crew, leader, order); }

  Crew crew;
  std::size_t leader = 0;
};

}  // namespace

TEST_CASE("an order at an observer is done, or refused with the leader's words") {
  Outside outside;
  Crew& crew = outside.crew;
  const auto done = crew.order(kObserver, chain::SetVoterPolicy{{3, 500}});
  CHECK(done.outcome == net::OrderOutcome::kDone);
  CHECK(done.height == crew.height(kObserver));
  CHECK(crew.members(kObserver).policy.grace_ms == 500);
  const auto refused = crew.order(kObserver, chain::SetVoterPolicy{{4, 0}});
  CHECK(refused.outcome == net::OrderOutcome::kRefused);
  CHECK(refused.message.find("3, 5 or 7") != std::string::npos);
  CHECK(refused.height == chain::Height{});
  CHECK(crew.errors.empty());
}

TEST_CASE("through an observer no key is changed but its own") {
  Outside outside;
  Crew& crew = outside.crew;
  for (const std::size_t whose : {std::size_t{1}, kObserver}) {
    chain::Member renewed = *chain::find_member(crew.members(kObserver), voter_id(whose));
    renewed.signing_key = voter_key(7);
    const auto answer = crew.order(kObserver, chain::UpdateMember{renewed});
    const bool is_own = whose == kObserver;
    CHECK(answer.outcome == (is_own ? net::OrderOutcome::kDone : net::OrderOutcome::kRefused));
    CHECK((answer.message.find("at a voter") != std::string::npos) != is_own);
    const auto* now = chain::find_member(crew.members(outside.leader), voter_id(whose));
    CHECK((now->signing_key == renewed.signing_key) == is_own);
  }
}

TEST_CASE("an observer can hand leadership to another voter") {
  Outside outside;
  Crew& crew = outside.crew;
  const std::size_t to = (outside.leader + 1) % 3;
  const auto done = crew.order(kObserver, net::Order(net::TransferLeadership{voter_id(to)}));
  CHECK(done.outcome == net::OrderOutcome::kDone);
  CHECK(crew.leader() == to);
}

TEST_CASE("the voter that relays dies with the order at the leader: it is done once, elsewhere") {
  Outside outside;
  Crew& crew = outside.crew;
  const chain::MemberOrder order{"ann", chain::SetVoterPolicy{{3, 500}}};
  outside.give(order);
  std::optional<std::size_t> via;
  for (auto& letter : crew.mail)
    if (asked_by_observer(letter) != nullptr) via = letter.to;
  REQUIRE(via.has_value());
  SUBCASE("before any block has it") {
    // No share leaves the leader, and none is found by it.
    crew.nodes[outside.leader]->work.reset();
    bool has_reached = false;
    crew.is_lost = [&](const Crew::Letter& letter) {
      has_reached = has_reached || (letter.from == *via && letter.to == outside.leader &&
                                    std::holds_alternative<net::OrderAsk>(letter.message));
      return std::holds_alternative<net::TemplatePush>(letter.message) ||
             std::holds_alternative<net::RaftSaid>(letter.message);
    };
    crew.run(20ms, [&] { return has_reached; });
    REQUIRE(has_reached);
  }
  SUBCASE("when a block has it and the observer has not heard of it") {
    crew.is_lost = [&](const Crew::Letter& letter) { return letter.to == kObserver; };
    REQUIRE(crew.run(5s, [&] { return outside.count(order) == 1; }));
  }
  CHECK(crew.orders.size() == crew.last_request - 1);
  crew.kill(*via);
  crew.is_lost = {};
  REQUIRE(outside.is_answered());
  CHECK(crew.orders.back().outcome == net::OrderOutcome::kDone);
  CHECK(crew.orders.back().message == "");
  crew.run(2s);
  outside.leader = crew.elect();
  CHECK(outside.count(order) == 1);
}

TEST_CASE("an observer tells that no leader could be asked when there is none") {
  Outside outside;
  Crew& crew = outside.crew;
  crew.kill(outside.leader);
  crew.kill((outside.leader + 1) % 3);
  const auto answer = crew.order(
      kObserver, net::Order(chain::MemberOrder{"ann", chain::SetVoterPolicy{{3, 1}}}), 5s);
  CHECK(answer.outcome == net::OrderOutcome::kNotNow);
  CHECK_FALSE(crew.nodes[kObserver]->core->status().leader.has_value());
}

TEST_CASE("an observer knows who leads, and how old its chain is") {
  Outside outside;
  Crew& crew = outside.crew;
  crew.run(2s);
  const auto status = crew.nodes[kObserver]->core->status();
  CHECK(status.leader == voter_id(outside.leader));
  CHECK(status.term == crew.nodes[outside.leader]->core->status().term);
  const auto age = [&] { return crew.now.steady - *crew.nodes[kObserver]->core->as_of(); };
  REQUIRE(crew.nodes[kObserver]->core->as_of().has_value());
  CHECK(age() < 2s);
  // Cut off from their leader the voters know nothing new, and neither does who hears them.
  for (std::size_t voter = 0; voter < 3; ++voter)
    if (voter != outside.leader) crew.cut(voter, outside.leader);
  crew.cut((outside.leader + 1) % 3, (outside.leader + 2) % 3);
  const auto before = age();
  crew.run(10s);
  CHECK(age() >= 10s);
  CHECK(age() <= 10s + before);
  CHECK_FALSE(crew.nodes[kObserver]->core->status().leader.has_value());
}

TEST_CASE("an observer that has not caught up is not fresh, whatever its voters are") {
  Outside outside;
  Crew& crew = outside.crew;
  crew.is_lost = [](const Crew::Letter& letter) {
    return letter.to == kObserver && std::holds_alternative<net::BlocksReply>(letter.message);
  };
  const auto before = crew.height(kObserver);
  CHECK(crew.order(outside.leader, chain::SetVoterPolicy{{3, 700}}).message == "");
  const auto at = crew.now.steady;
  crew.run(5s);
  REQUIRE(crew.height(kObserver) == before);
  CHECK(*crew.nodes[kObserver]->core->as_of() <= at);
  crew.is_lost = {};
  REQUIRE(crew.run(5s, [&] { return crew.height(kObserver) > before; }));
  CHECK(*crew.nodes[kObserver]->core->as_of() > at);
}

TEST_CASE("an observer's order reaches the next leader when the first one is lost") {
  Outside outside;
  Crew& crew = outside.crew;
  crew.kill(outside.leader);
  const auto done = crew.order(kObserver, role(kObserver, chain::MemberRole::kStandby));
  CHECK(done.outcome == net::OrderOutcome::kDone);
  CHECK(crew.errors.empty());
}
