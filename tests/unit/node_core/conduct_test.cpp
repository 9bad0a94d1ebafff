#include "node/conduct.h"

#include <doctest/doctest.h>

#include "tests/unit/node_core/fetching_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

namespace {

chain::Instant at(std::chrono::nanoseconds since_start) {
  return {since_start};
}

}  // namespace

TEST_CASE("one thing that no correct program does is enough, and is over after a while") {
  Conduct conduct;
  CHECK_FALSE(conduct.is_shunned(voter_id(1), at(1s)));
  CHECK(conduct.fault(voter_id(1), Conduct::Fault::kBroken, "a lie", at(1s)));
  CHECK(conduct.is_shunned(voter_id(1), at(1s)));
  CHECK_FALSE(conduct.is_shunned(voter_id(2), at(1s)));
  CHECK(conduct.is_shunned(voter_id(1), at(1s + Conduct::kShunFor - 1ns)));
  CHECK_FALSE(conduct.is_shunned(voter_id(1), at(1s + Conduct::kShunFor)));
  CHECK(conduct.find(voter_id(1))->last == "a lie");
  // What it said before it was cut off does not count again.
  for (int i = 0; i < 100; ++i)
    CHECK_FALSE(conduct.fault(voter_id(1), Conduct::Fault::kBroken, "a lie", at(2s)));
  CHECK_FALSE(
      conduct.fault(voter_id(1), Conduct::Fault::kWasteful, "a race", at(1s + Conduct::kShunFor)));
  CHECK(conduct.fault(voter_id(1), Conduct::Fault::kBroken, "a lie", at(2s + Conduct::kShunFor)));
}

TEST_CASE("what may happen now and then is forgiven unless it happens all the time") {
  Conduct conduct;
  // One in a second, for ever.
  for (int second = 1; second < 1000; ++second)
    CHECK_FALSE(conduct.fault(voter_id(1), Conduct::Fault::kWasteful, "", at(second * 1s)));
  // Many at once.
  int faults = 0;
  while (!conduct.fault(voter_id(2), Conduct::Fault::kWasteful, "", at(1s))) ++faults;
  CHECK(faults == 19);
  // Two in each tenth of a second: faster than they fade.
  faults = 0;
  for (auto time = 1s + 0ms; !conduct.is_shunned(voter_id(0), at(time)); time += 50ms) {
    conduct.fault(voter_id(0), Conduct::Fault::kWasteful, "", at(time));
    REQUIRE(++faults < 100);
  }
}

TEST_CASE("announced events that nobody has are given up until they are announced again") {
  Fetching fetching;
  fetching.fetcher.announced(refs(3), voter_id(1), fetching.now);
  CHECK(fetching.asked() == std::map<chain::NodeId, std::size_t>{{voter_id(1), 3}});
  CHECK(fetching.fetcher.got_event(refs(1)[0]));
  fetching.pass(60s);
  std::size_t requests = 0;
  for (const auto& [peer, count] : fetching.asked()) requests += count;
  CHECK(requests == 2 * (Fetcher::kAnnouncedTries - 1));
  fetching.pass(60s);
  CHECK(fetching.asked().empty());
  fetching.fetcher.announced(refs(3), voter_id(2), fetching.now);
  CHECK(fetching.asked() == std::map<chain::NodeId, std::size_t>{{voter_id(2), 3}});
}

TEST_CASE("a flood of announcements takes no room from what a block needs") {
  Fetching fetching;
  for (std::uint8_t wave = 0; wave < 20; ++wave)
    fetching.fetcher.announced(refs(15'000, wave), voter_id(1), fetching.now);
  CHECK(fetching.asked()[voter_id(1)] == Fetcher::kAnnouncedMax);
  fetching.fetcher.announced(refs(5, 100), voter_id(2), fetching.now);
  CHECK(fetching.asked()[voter_id(2)] == 5);
  const auto needed = refs(10, 200);
  fetching.fetcher.want_events(needed, voter_id(2), fetching.now);
  CHECK(fetching.asked()[voter_id(2)] == 10);
  // What was announced and is needed now is asked for at once and not given up.
  fetching.fetcher.want_events(refs(1), voter_id(2), fetching.now);
  CHECK(fetching.asked()[voter_id(2)] == 1);
  fetching.pass(600s);
  CHECK(fetching.fetcher.wants(refs(1)[0]));
  CHECK(fetching.fetcher.wants(needed[9]));
  CHECK_FALSE(fetching.fetcher.wants(refs(2)[1]));
  // And there is room for announcements again.
  std::ignore = fetching.asked();
  fetching.fetcher.announced(refs(7, 150), voter_id(1), fetching.now);
  CHECK(fetching.asked()[voter_id(1)] == 7);
}
