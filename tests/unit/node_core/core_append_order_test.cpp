// In which order events of one stream get their places when they were accepted by two nodes and the
// leader that knew their order is lost.

#include <doctest/doctest.h>

#include "tests/unit/node_core/sparse_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

namespace {

// While a template is in hand, `first` becomes durable at one follower and the leader before the
// other follower accepts `second`, which becomes durable, too. The leader is lost, the other
// follower comes to lead, and seals until both have their places. Their keys in the order of the
// log.
std::vector<chain::EventKey> placed_by_next_leader(const chain::HeldEvent& first,
                                                   const chain::HeldEvent& second) {
  SparseMesh mesh(3, 0);
  const std::size_t a = mesh.follower(0);
  const std::size_t b = mesh.follower(1);
  mesh.is_lost = [&](const SparseMesh::Letter& letter) {
    if (letter.from != a) return false;
    // The one is slow to reach the other, and does not stand for election.
    const auto* raft = std::get_if<net::RaftSaid>(&letter.message);
    return (letter.to == b && std::holds_alternative<net::Events>(letter.message)) ||
           (raft != nullptr &&
            std::holds_alternative<consensus::RequestVote>(raft->envelope.message));
  };
  mesh.submit(mesh.leader, {event("in-hand", "x", 9)}, WaitFor::kReceived);
  mesh.run(50ms);
  mesh.answers.clear();
  mesh.submit(a, {first}, WaitFor::kDurable);
  mesh.run(50ms);
  REQUIRE(mesh.outcome() == EventOutcome::State::kDurable);
  mesh.answers.clear();
  mesh.submit(b, {second}, WaitFor::kDurable);
  mesh.run(50ms);
  REQUIRE(mesh.outcome() == EventOutcome::State::kDurable);
  for (const std::size_t other : {a, b}) mesh.unlink(mesh.leader, other);
  for (int i = 0; i < 2000 && !mesh.core(b).replica().is_ready(); ++i) mesh.run(10ms);
  REQUIRE(mesh.core(b).replica().is_ready());
  mesh.is_lost = {};
  std::vector<chain::EventKey> keys;
  for (int tries = 0; tries < 100 && keys.size() < 2; ++tries) {
    mesh.run(20ms);
    mesh.handle(b, MinerFound{mesh.share()});
    mesh.run(20ms);
    keys.clear();
    auto& store = mesh.nodes[b].store->chain();
    for (chain::Height height{1}; height <= mesh.core(b).chain_state().height();
         height = height.next()) {
      const auto block = store.block(height);
      REQUIRE(block.has_value());
      for (const auto& entry : block->content.entries)
        if (entry.key == first.facts.key || entry.key == second.facts.key)
          keys.push_back(entry.key);
    }
  }
  return keys;
}

}  // namespace

TEST_CASE(
    "over the loss of a leader appends through two nodes keep their order if they expect it") {
  const auto first = event("a", "x", 1, 0);
  const auto second = event("b", "x", 2, 1);
  CHECK(placed_by_next_leader(first, second) == std::vector{first.facts.key, second.facts.key});
}

// Nobody but the lost leader and the first node knew of both. Shown here because it is what users
// are told (node/api/README.md): durable is no order.
TEST_CASE("over the loss of a leader appends without an expectation may change places") {
  const auto first = event("a", "x", 1);
  const auto second = event("b", "x", 2);
  CHECK(placed_by_next_leader(first, second) == std::vector{second.facts.key, first.facts.key});
}
