#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/node_core/crew_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

namespace {

// Three voters and an observer, of whom a voter and the observer are on busy hosts: what is no
// message of Raft waits there for 3 to 6 seconds.
struct Busy {
  Busy() : crew(3, 1), leader(crew.elect()), busy((leader + 1) % 3) {
    crew.admit(3, chain::MemberRole::kObserver);
    crew.delay = [this](const Crew::Letter& letter) {
      const bool waits = (letter.to == busy || letter.to == 3) &&
                         !std::holds_alternative<net::RaftSaid>(letter.message);
      return waits ? std::chrono::milliseconds(3000 + 137 * (++letters % 20)) : 0ms;
    };
  }
  void work() {
    for (std::uint32_t i = 1; i <= 10; ++i) {
      CHECK(crew.order(leader, chain::SetVoterPolicy{{3, i}}).message == "");
      crew.run(2s);
    }
    REQUIRE(crew.leader() == leader);
  }
  [[nodiscard]] auto ahead(std::size_t at) const {
    return crew.nodes[at]->core->status().leader_clock_ahead;
  }
  [[nodiscard]] std::ptrdiff_t alarms() const {
    return std::ranges::count_if(crew.warnings, [](const std::string& text) {
      return text.find("clock") != std::string::npos;
    });
  }

  Crew crew;
  std::size_t leader;
  std::size_t busy;
  std::uint64_t letters = 0;
};

}  // namespace

TEST_CASE("what waited for seconds on a busy host is no clock that is off") {
  Busy one;
  one.work();
  CHECK(one.alarms() == 0);
  for (const std::size_t at : {one.busy, std::size_t{3}}) {
    INFO("node ", at);
    REQUIRE(one.ahead(at).has_value());
    CHECK(one.ahead(at) == 0ms);
  }
  CHECK(one.ahead((one.leader + 2) % 3) == 0ms);
  CHECK_FALSE(one.ahead(one.leader).has_value());
}

TEST_CASE("a clock that is off is told on a busy host, too") {
  Busy one;
  one.crew.clocks_off[one.busy] = 1h;
  one.crew.clocks_off[3] = -1h;
  one.work();
  CHECK(one.alarms() >= 2);
  REQUIRE(one.ahead(one.busy).has_value());
  CHECK(*one.ahead(one.busy) <= -1h + 7s);
  CHECK(*one.ahead(one.busy) >= -1h);
  REQUIRE(one.ahead(3).has_value());
  CHECK(*one.ahead(3) >= 1h - 7s);
  CHECK(*one.ahead(3) <= 1h);
}
