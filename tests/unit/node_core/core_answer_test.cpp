#include <doctest/doctest.h>

#include "node/core.h"
#include "tests/unit/node_core/node_core_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

namespace {

// The only voter of a chain, with a miner that finds a share at once.
class OnlyVoter {
 public:
  OnlyVoter() {
    CoreOptions options;
    options.self = voter_id(0);
    options.genesis = easy_genesis(1);
    store_.turns().begin();
    core_ = std::make_unique<NodeCore>(options, store_);
    core_->start(now_);
  }

  // What a client that waits for the event's block is told.
  EventOutcome submit(const chain::HeldEvent& event) {
    const RequestId request{++requests_};
    core_->handle(now_, ClientSubmit{request, {event}, WaitFor::kCompleted, now_.steady + 1h});
    for (int turn = 0; turn < 100; ++turn) {
      for (const Effect& effect : end_turn()) {
        if (const auto* mine = std::get_if<Mine>(&effect)) order_ = mine->order;
        const auto* answer = std::get_if<Answer>(&effect);
        if (answer != nullptr && answer->request == request) return answer->outcomes.at(0);
      }
      go_on();
    }
    FAIL("no answer");
    return {};
  }

 private:
  std::vector<Effect> end_turn() {
    auto effects = core_->take_effects().when_durable;
    store_.turns().commit();
    store_.turns().begin();
    return effects;
  }
  void go_on() {
    if (order_) {
      const auto share = seal_of(order_->header).shares.front();
      core_->handle(now_, MinerFound{{order_->template_hash, share}});
      order_.reset();
      return;
    }
    now_.steady = std::max(now_.steady, core_->next_wakeup());
    core_->handle(now_, Woke{});
  }

  chain::Now now_{chain::Instant{50s}, {1'750'000'000'000}};
  store::MemoryStore store_{easy_genesis(1)};
  std::unique_ptr<NodeCore> core_;
  std::optional<mining::WorkOrder> order_;
  std::uint64_t requests_ = 0;
};

}  // namespace

TEST_CASE("an event offered again after its block is answered as the first time") {
  OnlyVoter voter;
  voter.submit(event("before", "x", 1));
  const EventOutcome first = voter.submit(event("a", "x", 2));
  voter.submit(event("after", "x", 3));
  CHECK(first.state == EventOutcome::State::kCompleted);
  CHECK(first.position == chain::Position{1});
  CHECK(first.version == chain::StreamVersion{1});
  CHECK(voter.submit(event("a", "x", 2)) == first);
  CHECK(voter.submit(event("a", "x", 4)) == first);  // another salt: another node's acceptance
}

TEST_CASE("whoever offers other content under a placed key is not told that event's place") {
  OnlyVoter voter;
  voter.submit(event("a", "x", 1));
  const EventOutcome refused = voter.submit(event("a", "y", 2));
  CHECK(refused.state == EventOutcome::State::kKeyConflict);
  CHECK_FALSE(refused.position.has_value());
  CHECK_FALSE(refused.version.has_value());
  CHECK_FALSE(refused.height.has_value());
}
