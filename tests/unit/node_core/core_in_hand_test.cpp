#include <doctest/doctest.h>

#include "node/core.h"
#include "tests/unit/node_core/share_queue_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

namespace {

// What the only voter of a chain says of its template, on its way to the first block.
struct Course {
  std::vector<std::optional<chain::TemplateHeader>> in_hand;
  std::vector<chain::TemplateHeader> mined;
  std::size_t full = 0;  // how often it was told to have all its shares
  bool is_told_before_mining = true;
};

Course first_block(chain::WorkFunction function, const chain::ShareDigest* digest) {
  CoreOptions options;
  options.self = voter_id(0);
  options.genesis = easy_genesis(1);
  options.genesis.work_function = function;
  if (function == chain::WorkFunction::kNone)
    options.genesis.first_target = options.genesis.easiest_target =
        chain::compact(chain::U256::max());
  REQUIRE(chain::check_genesis(options.genesis).has_value());
  options.digest = digest;
  store::MemoryStore store(options.genesis);
  chain::Now now{chain::Instant{50s}, {1'750'000'000'000}};
  store.turns().begin();
  NodeCore core(options, store);
  core.start(now);
  core.handle(
      now, ClientSubmit{RequestId{1}, {event("e", "x", 1)}, WaitFor::kCompleted, now.steady + 1h});
  Course course;
  for (int turn = 0; turn < 100 && core.chain_state().height().value == 0; ++turn) {
    std::optional<mining::ShareFound> found;
    Effects effects = core.take_effects();
    for (const Effect& effect : effects.when_durable) {
      if (const auto* in_hand = std::get_if<InHand>(&effect)) {
        course.in_hand.push_back(in_hand->header);
        course.full += in_hand->is_full;
      }
      if (const auto* mine = std::get_if<Mine>(&effect)) {
        course.is_told_before_mining = !course.in_hand.empty();
        course.mined.push_back(mine->order.header);
        found = {mine->order.template_hash, {chain::nonce_high(mine->order.slot, 0, 0), 1}};
      }
    }
    store.turns().commit();
    store.turns().begin();
    if (found) {
      core.handle(now, MinerFound{*found});
    } else {
      now.steady = std::max(now.steady, core.next_wakeup());
      core.handle(now, Woke{});
    }
  }
  REQUIRE(core.chain_state().height().value == 1);
  for (const Effect& effect : core.take_effects().when_durable)
    if (const auto* in_hand = std::get_if<InHand>(&effect)) {
      course.in_hand.push_back(in_hand->header);
      course.full += in_hand->is_full;
    }
  return course;
}

}  // namespace

TEST_CASE("where shares take long the core tells whose it collects, before any is searched") {
  const CountingDigest computing;
  const mining::MemoDigest memo(computing, 100);
  const Course course = first_block(chain::WorkFunction::kRandomXV1, &memo);
  REQUIRE(course.mined.size() == 1);
  CHECK(course.is_told_before_mining);
  REQUIRE(course.in_hand.size() >= 3);
  CHECK(course.in_hand[course.in_hand.size() - 3] == course.mined[0]);
  CHECK(course.in_hand[course.in_hand.size() - 2] == course.mined[0]);
  CHECK(course.full == 1);
  CHECK_FALSE(course.in_hand.back().has_value());
  // Looked at when it came, in the seal and in the log; computed once.
  CHECK(computing.count == 1);
}

TEST_CASE("on a chain without work the core comes to a block with whatever nonce it is told") {
  const Course course = first_block(chain::WorkFunction::kNone, nullptr);
  CHECK(course.mined.size() == 1);
  CHECK(course.in_hand.empty());
}
