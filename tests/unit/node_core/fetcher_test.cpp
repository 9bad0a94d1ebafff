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

std::vector<std::uint32_t> counts(Fetching& fetching) {
  std::vector<std::uint32_t> result;
  for (const auto& request : sent<net::BlocksRequest>(fetching)) result.push_back(request.count);
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

TEST_CASE("blocks that do not come are asked for ever more rarely, and fewer at a time") {
  Fetching fetching;
  fetching.fetcher.want_blocks(chain::Height{1}, 64, voter_id(1), fetching.now);
  fetching.pass(60s);
  CHECK(counts(fetching) == std::vector<std::uint32_t>{64, 32, 16, 8, 4});
  fetching.pass(600s);
  const auto late = counts(fetching);
  CHECK(late.size() <= 10);
  CHECK(late.back() == 1);
}

TEST_CASE("the rest of a way is asked for in parts that came before, and in larger ones again") {
  Fetching fetching;
  fetching.fetcher.want_blocks(chain::Height{1}, 64, voter_id(1), fetching.now);
  fetching.pass(6s);
  CHECK(counts(fetching) == std::vector<std::uint32_t>{64, 32, 16});
  std::uint64_t next = 1;
  for (const std::uint32_t at_once : {16U, 32U, 64U, 64U}) {
    CHECK(fetching.fetcher.got_blocks(chain::Height{next}, voter_id(1), true));
    fetching.fetcher.want_blocks(chain::Height{++next}, 64, voter_id(1), fetching.now);
    CHECK(counts(fetching) == std::vector{at_once});
  }
}

TEST_CASE("a link that breaks under an answer makes the next one smaller, and asked for at once") {
  Fetching fetching;
  fetching.fetcher.want_blocks(chain::Height{1}, 64, voter_id(1), fetching.now);
  fetching.members.link_down(voter_id(1));
  fetching.fetcher.peer_down(voter_id(1));
  fetching.pass(0ms);
  CHECK(counts(fetching) == std::vector<std::uint32_t>{64, 32});
}

TEST_CASE("a template that does not come is asked for ever more rarely") {
  Fetching fetching;
  fetching.fetcher.want_template({}, chain::Height{1}, voter_id(1), fetching.now);
  fetching.pass(60s);
  CHECK(sent<net::TemplateRequest>(fetching).size() == 5);
  // Whoever leads next has it, or a better one.
  fetching.fetcher.want_template({}, chain::Height{1}, voter_id(2), fetching.now);
  fetching.fetcher.want_template({}, chain::Height{1}, voter_id(2), fetching.now);
  CHECK(sent<net::TemplateRequest>(fetching).size() == 1);
  fetching.pass(2s);
  CHECK(sent<net::TemplateRequest>(fetching).size() == 1);
}

TEST_CASE("blocks are those of who was asked for them, first or later") {
  Fetching fetching;
  fetching.fetcher.want_blocks(chain::Height{1}, 64, voter_id(1), fetching.now);
  CHECK_FALSE(fetching.fetcher.got_blocks(chain::Height{1}, voter_id(2), true));
  CHECK_FALSE(fetching.fetcher.got_blocks(chain::Height{1}, voter_id(2), false));
  CHECK_FALSE(fetching.fetcher.got_blocks(chain::Height{2}, voter_id(1), true));
  CHECK(fetching.fetcher.wants_blocks());
  fetching.pass(2s);  // the other one is asked, too
  SUBCASE("who was asked first answers late") {
    CHECK(fetching.fetcher.got_blocks(chain::Height{1}, voter_id(1), true));
    CHECK_FALSE(fetching.fetcher.wants_blocks());
  }
  SUBCASE("who was asked first has none") {
    CHECK_FALSE(fetching.fetcher.got_blocks(chain::Height{1}, voter_id(1), false));
    CHECK(fetching.fetcher.got_blocks(chain::Height{1}, voter_id(2), true));
  }
  SUBCASE("who was asked last has none") {
    CHECK(fetching.fetcher.got_blocks(chain::Height{1}, voter_id(2), false));
    CHECK_FALSE(fetching.fetcher.wants_blocks());
  }
}

TEST_CASE("a template was asked for of whoever may still answer") {
  Fetching fetching;
  CHECK_FALSE(fetching.fetcher.has_asked(voter_id(1), {}));
  fetching.fetcher.want_template({}, chain::Height{1}, voter_id(1), fetching.now);
  CHECK(fetching.fetcher.has_asked(voter_id(1), {}));
  CHECK_FALSE(fetching.fetcher.has_asked(voter_id(2), {}));
  fetching.pass(2s);
  CHECK(fetching.fetcher.has_asked(voter_id(1), {}));
  CHECK(fetching.fetcher.has_asked(voter_id(2), {}));
}

TEST_CASE("what a voter announces, too, is its wish, whoever announced it first") {
  Fetching fetching;
  const chain::NodeId outsider = voter_id(7);
  fetching.members.link_up(outsider);
  const auto entries = refs(1);
  fetching.fetcher.announced(entries, outsider, fetching.now);
  CHECK(fetching.fetcher.announcer(entries[0]) == outsider);
  fetching.fetcher.announced(entries, voter_id(2), fetching.now);
  CHECK(fetching.fetcher.announcer(entries[0]) == voter_id(2));
  fetching.fetcher.announced(entries, outsider, fetching.now);
  CHECK(fetching.fetcher.announcer(entries[0]) == voter_id(2));
  fetching.fetcher.want_events(entries, std::nullopt, fetching.now);
  CHECK_FALSE(fetching.fetcher.announcer(entries[0]));
}
