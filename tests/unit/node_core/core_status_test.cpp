#include <doctest/doctest.h>

#include "tests/unit/node_core/crew_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

TEST_CASE(
    "a node tells for how long the first event has waited, and since when there was no block") {
  Crew crew(3);
  const std::size_t leader = crew.elect();
  const auto status = [&](std::size_t at) { return crew.nodes[at]->core->status(); };
  CHECK(crew.order(leader, chain::SetVoterPolicy{{3, 1}}).message == "");
  CHECK_FALSE(status(leader).oldest_pending.has_value());
  CHECK(status(leader).block_interval == 1000ms);
  // Nobody mines: what comes waits, and what came later does not hide it.
  crew.idle = {0, 1, 2};
  crew.submit(leader, event("a", "x", 1), WaitFor::kReceived);
  crew.run(5s);
  crew.submit(leader, event("b", "x", 2), WaitFor::kReceived);
  crew.run(1s);
  for (std::size_t at = 0; at < 3; ++at) {
    INFO("node ", at);
    REQUIRE(status(at).oldest_pending.has_value());
    CHECK(*status(at).oldest_pending >= 5900ms);
    CHECK(*status(at).oldest_pending <= 6000ms);
    CHECK(status(at).tip_age >= *status(at).oldest_pending);
    CHECK(status(at).tip_age < 10s);
  }
  crew.idle.clear();
  const auto height = crew.height(leader);
  REQUIRE(crew.run(5s, [&] { return crew.height(leader) > height; }));
  CHECK(status(leader).tip_age < 100ms);
  REQUIRE(crew.run(5s, [&] { return status(leader).pending_events == 0; }));
  CHECK_FALSE(status(leader).oldest_pending.has_value());
}
