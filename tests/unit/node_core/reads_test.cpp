#include "node/reads.h"

#include <doctest/doctest.h>

#include <chrono>

#include "tests/unit/node_core/trio_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

TEST_CASE("the leader and a follower answer a read after a round of messages, not before") {
  Trio trio;
  const std::size_t leader = trio.elect();
  for (const std::size_t node : {leader, (leader + 1) % 3}) {
    trio.answers.clear();
    trio.read(node, 7, 1s);
    CHECK(trio.answers.empty());
    trio.run(50ms);
    REQUIRE(trio.answers.size() == 1);
    CHECK(trio.answers[0].request == RequestId{7});
    CHECK(trio.answers[0].reached);
  }
}

TEST_CASE("a leader that is cut off does not answer, though it does not know yet that it lost") {
  Trio trio;
  const std::size_t old = trio.elect();
  trio.cut = old;
  trio.read(old, 1, 300ms);
  trio.run(100ms);
  CHECK(trio.cores[old]->replica().is_ready());
  CHECK(trio.answers.empty());
  trio.run(400ms);
  REQUIRE(trio.answers.size() == 1);
  CHECK_FALSE(trio.answers[0].reached);
}

TEST_CASE("a read asked for while nobody leads is answered once somebody does") {
  Trio trio;
  const std::size_t old = trio.elect();
  trio.cut = old;
  const std::size_t other = (old + 1) % 3;
  trio.run(50ms);
  trio.read(other, 1, 60s);
  CHECK(trio.answers.empty());
  const std::size_t next = trio.elect();
  CHECK(next != old);
  trio.run(1s);
  REQUIRE(trio.answers.size() == 1);
  CHECK(trio.answers[0].reached);
}

TEST_CASE("how old a node's state may be is known, and grows where nothing is heard") {
  Trio trio;
  const std::size_t leader = trio.elect();
  trio.run(500ms);
  for (std::size_t i = 0; i < 3; ++i) {
    REQUIRE(trio.cores[i]->as_of());
    CHECK(trio.now.steady - *trio.cores[i]->as_of() <= 200ms);
  }
  const std::size_t lost = (leader + 1) % 3;
  trio.cut = lost;
  const auto before = *trio.cores[lost]->as_of();
  trio.run(700ms);
  CHECK(*trio.cores[lost]->as_of() == before);
  CHECK(trio.now.steady - *trio.cores[leader]->as_of() <= 200ms);
}
