#include <doctest/doctest.h>

#include "tests/unit/node_core/voter_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

namespace {

// An empty block's template, told apart by its time.
chain::Template empty_template(const chain::Genesis& genesis, std::int64_t time) {
  store::MemoryStore store(genesis);
  store.turns().begin();
  Ledger ledger(store.chain(), store.chain().recover(), chain::PoolLimits{}, chain::Now{});
  return ledger.assemble({time}, {time}, chain::Now{}, {}).made;
}

net::RaftSaid heartbeat(std::uint64_t term, std::uint64_t from) {
  consensus::AppendEntries message;
  message.term = consensus::Term{term};
  message.prev_index = consensus::LogIndex{1};
  message.prev_term = consensus::Term{1};
  return {{consensus::ServerId{from}, consensus::ServerId{1}, message}};
}

}  // namespace

TEST_CASE("a leader's template counts although it came before the news that it leads") {
  Voter voter;
  const auto of_old = empty_template(voter.genesis, 1'750'000'000'000);
  const auto of_new = empty_template(voter.genesis, 1'750'000'000'001);
  voter.said(1, net::TemplatePush{of_old});
  CHECK(voter.mined() == chain::template_hash(of_old.header));
  voter.said(2, net::TemplatePush{of_new});
  CHECK_FALSE(voter.mined().has_value());
  voter.said(2, heartbeat(2, 3));
  CHECK(voter.mined() == chain::template_hash(of_new.header));
}

// The body may be named by a decision in the log, of a leader before this one; without it the
// decision could not be applied.
TEST_CASE("an event that the leader refuses for a key conflict is kept until a block decides") {
  Voter voter;
  voter.said(2, heartbeat(2, 3));
  const auto held = event("a", "x", 1);
  voter.core->handle(voter.now,
                     ClientSubmit{RequestId{1}, {held}, WaitFor::kDurable, voter.now.steady + 1s});
  std::uint64_t batch = 0;
  for (const auto& effect : voter.end_turn()) {
    if (const auto* send = std::get_if<Send>(&effect))
      if (const auto* events = std::get_if<net::Events>(&send->message)) batch = events->batch;
  }
  REQUIRE(batch != 0);
  voter.said(2, net::EventsHeld{batch, {net::HoldResult::kConflict}});
  std::optional<EventOutcome::State> told;
  for (const auto& effect : voter.end_turn())
    if (const auto* answer = std::get_if<Answer>(&effect)) told = answer->outcomes[0].state;
  CHECK(told == EventOutcome::State::kKeyConflict);
  CHECK(voter.core->pool().find(held.facts.commitment) != nullptr);
}
