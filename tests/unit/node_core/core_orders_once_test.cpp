// An order is carried out once, also where whoever gave it does not hear of the block that has it
// and gives it again, while another operator has undone it.

#include <doctest/doctest.h>

#include "tests/unit/node_core/crew_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kObserver = 3;

chain::MemberOrder role(const char* by, chain::MemberRole to) {
  return {by, chain::SetRole{voter_id(kObserver), to}};
}

void give(Crew& crew, std::size_t at, const chain::MemberOrder& order,
          std::chrono::milliseconds patience = 60s) {
  crew.handle(at, ClientOrders{RequestId{++crew.last_request}, net::Order(order),
                               crew.now.steady + patience});
}

const OrderAnswer* answer_to(const Crew& crew, std::uint64_t request) {
  for (const auto& answer : crew.orders)
    if (answer.request == RequestId{request}) return &answer;
  return nullptr;
}

bool is_ask(const Crew::Letter& letter) {
  return std::holds_alternative<net::OrderAsk>(letter.message);
}

const chain::MemberOrder kAnns = role("ann", chain::MemberRole::kStandby);
const chain::MemberOrder kBobs = role("bob", chain::MemberRole::kObserver);

}  // namespace

TEST_CASE("an order whose node was cut off when a block had it is not carried out again") {
  Crew crew(3, 1);
  crew.elect();
  crew.admit(kObserver, chain::MemberRole::kObserver);
  const std::size_t leader = crew.elect();
  const std::size_t asker = (leader + 1) % 3;
  REQUIRE(crew.run(3s, [&] { return crew.height(asker) == crew.height(leader); }));
  // One ask gets through; the asker hears nothing of what follows.
  std::size_t asked = 0;
  crew.is_lost = [&](const Crew::Letter& letter) {
    return letter.to == asker || (letter.from == asker && !(is_ask(letter) && ++asked == 1));
  };
  give(crew, asker, kAnns);
  const std::uint64_t request = crew.last_request;
  REQUIRE(crew.run(5s, [&] { return count_blocks(crew, leader, kAnns) == 1; }));
  CHECK(crew.order(leader, net::Order(kBobs)).outcome == net::OrderOutcome::kDone);
  REQUIRE(answer_to(crew, request) == nullptr);
  REQUIRE(crew.height(asker) < crew.height(leader));
  SUBCASE("the leader is the same") {
    crew.is_lost = {};
  }
  SUBCASE("what it asks again comes ahead of all blocks") {
    crew.is_lost = [&](const Crew::Letter& letter) {
      return letter.to == asker && std::holds_alternative<net::BlocksReply>(letter.message);
    };
    crew.delay = [&](const Crew::Letter& letter) {
      return letter.to == asker && std::holds_alternative<net::TemplatePush>(letter.message) ? 2s
                                                                                             : 0s;
    };
  }
  crew.run(10s);
  crew.is_lost = {};
  crew.delay = {};
  REQUIRE(crew.run(20s, [&] { return answer_to(crew, request) != nullptr; }));
  CHECK(answer_to(crew, request)->outcome == net::OrderOutcome::kDone);
  crew.run(5s);
  const std::size_t now = crew.elect();
  CHECK(count_blocks(crew, now, kAnns) == 1);
  CHECK(chain::find_member(crew.members(now), voter_id(kObserver))->role ==
        chain::MemberRole::kObserver);
}

TEST_CASE(
    "an order of an observer that was behind is not carried out again through another voter") {
  Crew crew(3, 1);
  crew.elect();
  crew.admit(kObserver, chain::MemberRole::kObserver);
  const std::size_t leader = crew.elect();
  const std::size_t first = (leader + 1) % 3;
  const std::size_t second = (leader + 2) % 3;
  REQUIRE(crew.run(3s, [&] { return crew.height(kObserver) == crew.height(leader); }));
  crew.cut(kObserver, leader);
  crew.cut(kObserver, second);
  crew.is_lost = [&](const Crew::Letter& letter) { return letter.to == kObserver; };
  give(crew, kObserver, kAnns);
  const std::uint64_t request = crew.last_request;
  REQUIRE(crew.run(5s, [&] { return count_blocks(crew, leader, kAnns) == 1; }));
  crew.cut(kObserver, first);
  CHECK(crew.order(leader, net::Order(kBobs)).outcome == net::OrderOutcome::kDone);
  REQUIRE(crew.run(5s, [&] { return crew.height(second) == crew.height(leader); }));
  // Of the second voter it hears who leads, and gets no blocks.
  crew.is_lost = [&](const Crew::Letter& letter) {
    return letter.to == kObserver && std::holds_alternative<net::BlocksReply>(letter.message);
  };
  crew.link(kObserver, second);
  crew.run(5s);
  CHECK(count_blocks(crew, leader, kAnns) == 1);
  crew.is_lost = {};
  REQUIRE(crew.run(20s, [&] { return answer_to(crew, request) != nullptr; }));
  CHECK(answer_to(crew, request)->outcome == net::OrderOutcome::kDone);
  CHECK(count_blocks(crew, crew.elect(), kAnns) == 1);
}

TEST_CASE("a leader that has seen less than who asks it keeps silent") {
  Crew crew(3, 1);
  crew.elect();
  crew.admit(kObserver, chain::MemberRole::kObserver);
  const std::size_t leader = crew.elect();
  const std::size_t asker = (leader + 1) % 3;
  const auto ask = [&](std::uint64_t number, chain::Height as_of) {
    crew.kinds[asker].clear();
    // It is none of these already; a leader of now refuses.
    const net::Order order = role("ann", chain::MemberRole::kObserver);
    crew.handle(leader, PeerSaid{voter_id(asker), net::OrderAsk{number, order, as_of}});
    crew.run(50ms);
    return crew.kinds[asker].contains("order_told");
  };
  CHECK(ask(1, crew.height(leader)));
  CHECK_FALSE(ask(2, crew.height(leader).next()));
}

TEST_CASE("blocks without orders that the asker has not seen delay no order") {
  Crew crew(3, 1);
  crew.elect();
  crew.admit(kObserver, chain::MemberRole::kObserver);
  const std::size_t leader = crew.elect();
  const chain::Height before = crew.height(leader);
  crew.submit(leader, event("a", "x", 1), WaitFor::kFinal);
  REQUIRE(crew.run(5s, [&] { return crew.height(leader) > before; }));
  crew.handle(leader,
              PeerSaid{voter_id((leader + 1) % 3), net::OrderAsk{1, net::Order(kAnns), before}});
  CHECK(crew.run(5s, [&] { return count_blocks(crew, leader, kAnns) == 1; }));
}
