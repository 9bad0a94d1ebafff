#include "node/fetcher.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>

#include "net/limits.h"
#include "tests/unit/node_core/fetching_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

namespace {

// The messages of this kind that were sent since it was asked last.
template <class Kind>
std::vector<Kind> sent(Fetching& fetching) {
  std::vector<Kind> result;
  for (const auto& effect : fetching.outbox.take().when_durable)
    result.push_back(std::get<Kind>(std::get<Send>(effect).message));
  return result;
}

}  // namespace

TEST_CASE("bodies that do not come are asked for quickly twice, then ever more rarely") {
  Fetching fetching;
  fetching.fetcher.want_events(refs(10), voter_id(1), fetching.now);
  CHECK(fetching.asked() == std::map<chain::NodeId, std::size_t>{{voter_id(1), 10}});
  for (int i = 0; i < 2; ++i) {
    fetching.pass(299ms);
    CHECK(fetching.asked().empty());
    fetching.pass(1ms);
    CHECK(fetching.asked().size() == 1);
  }
  fetching.pass(600s);
  const std::size_t requests = sent<net::EventsRequest>(fetching).size();
  CHECK(requests > 20);
  CHECK(requests < 100);
}

TEST_CASE("a peer that answers in part is asked for the rest as quickly as at first") {
  Fetching fetching;
  const auto needed = refs(100);
  fetching.fetcher.want_events(needed, voter_id(1), fetching.now);
  for (const auto& entry : needed) {
    std::ignore = fetching.asked();
    fetching.fetcher.got_event(entry);
    fetching.pass(300ms);
    CHECK(fetching.asked().size() == (entry == needed.back() ? 0 : 1));
  }
}

TEST_CASE("bodies that were asked for in vain are asked for at once of who is known to have them") {
  Fetching fetching;
  fetching.fetcher.want_events(refs(10), std::nullopt, fetching.now);
  fetching.pass(60s);
  std::ignore = fetching.asked();
  for (const std::size_t peer : {std::size_t{1}, std::size_t{2}})
    fetching.fetcher.want_events(refs(10), voter_id(peer), fetching.now);
  CHECK(fetching.asked().size() >= 1);
  CHECK(fetching.asked().empty());
}

TEST_CASE("a new link is a new chance for bodies that do not come") {
  Fetching fetching;
  fetching.fetcher.want_events(refs(10), voter_id(1), fetching.now);
  fetching.pass(600s);
  std::ignore = fetching.asked();
  fetching.fetcher.peer_up(fetching.now);
  fetching.pass(300ms);
  CHECK(fetching.asked().size() == 1);
}
