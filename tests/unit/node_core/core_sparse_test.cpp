// Nodes outside Raft that are linked to a few peers only.

#include <doctest/doctest.h>

#include "tests/unit/node_core/sparse_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;
using State = EventOutcome::State;

namespace {

constexpr std::size_t kOutsider = 3;
constexpr std::size_t kBehind = 4;  // linked to the outsider alone

template <class Kind>
bool is(const SparseMesh::Letter& letter) {
  return std::holds_alternative<Kind>(letter.message);
}

}  // namespace

TEST_CASE("an event at a node that knows one follower only becomes durable") {
  SparseMesh mesh(3, 1);
  mesh.link(kOutsider, mesh.follower());
  mesh.submit(kOutsider, {event("a", "x", 1)}, WaitFor::kDurable);
  CHECK(mesh.answers.empty());
  mesh.run(100ms);
  CHECK(mesh.outcome() == State::kDurable);
  for (std::size_t voter = 0; voter < 3; ++voter) CHECK(mesh.core(voter).pool().size() == 1);
  CHECK(mesh.count<net::Events>(kOutsider, mesh.follower()) == 0);
}

TEST_CASE("a client of such a node hears that its event is final") {
  SparseMesh mesh(3, 1);
  mesh.link(kOutsider, mesh.follower());
  mesh.submit(kOutsider, {event("a", "x", 1)}, WaitFor::kFinal);
  mesh.run(100ms);
  mesh.handle(mesh.leader, MinerFound{mesh.share()});
  mesh.run(100ms);
  CHECK(mesh.outcome() == State::kCompleted);
  CHECK(mesh.answers[0].reached);
  CHECK(mesh.answers[0].outcomes[0].is_final);
  CHECK(mesh.core(kOutsider).certified() == chain::Height{1});
}

TEST_CASE("where a voter is lost or silent another one is asked") {
  SparseMesh mesh(3, 1);
  mesh.link(kOutsider, mesh.follower(0));
  mesh.link(kOutsider, mesh.follower(1));
  std::optional<std::size_t> first;
  mesh.is_lost = [&](const SparseMesh::Letter& letter) {
    if (is<net::EventsSubmit>(letter) && !first) first = letter.to;
    return is<net::EventsSubmit>(letter) && letter.to == first;
  };
  mesh.submit(kOutsider, {event("a", "x", 1)}, WaitFor::kDurable);
  mesh.run(1900ms);
  REQUIRE(first.has_value());
  CHECK(mesh.answers.empty());
  SUBCASE("it is silent for two seconds") {
    mesh.run(200ms);
  }
  SUBCASE("its link breaks") {
    mesh.unlink(kOutsider, *first);
    mesh.run(50ms);
  }
  CHECK(mesh.outcome() == State::kDurable);
}

TEST_CASE("an event under a key that a voter has with other content is refused") {
  SparseMesh mesh(3, 1);
  mesh.submit(mesh.leader, {event("a", "first", 1)}, WaitFor::kReceived);
  mesh.run(100ms);
  mesh.answers.clear();
  mesh.link(kOutsider, mesh.follower());
  mesh.submit(kOutsider, {event("a", "second", 2)}, WaitFor::kDurable);
  mesh.run(100ms);
  CHECK(mesh.outcome() == State::kKeyConflict);
}

TEST_CASE("an event that the voters have under another salt is as durable as theirs") {
  SparseMesh mesh(3, 1);
  mesh.link(kOutsider, mesh.follower());
  // Of two who submit the same, neither has heard of the other.
  mesh.submit(mesh.leader, {event("a", "x", 1)}, WaitFor::kReceived);
  mesh.submit(kOutsider, {event("a", "x", 2)}, WaitFor::kDurable);
  mesh.answers.clear();
  mesh.run(100ms);
  CHECK(mesh.outcome() == State::kDurable);
}

TEST_CASE("an event that expects a passed version is rejected by a block, not as a conflict") {
  SparseMesh mesh(3, 1);
  mesh.submit(mesh.leader, {event("a", "x", 1)}, WaitFor::kReceived);
  mesh.run(100ms);
  mesh.handle(mesh.leader, MinerFound{mesh.share()});
  mesh.run(100ms);
  mesh.answers.clear();
  // It has not caught up when its client asks.
  mesh.is_lost = [&](const SparseMesh::Letter& letter) { return is<net::BlocksReply>(letter); };
  mesh.link(kOutsider, mesh.follower());
  mesh.submit(kOutsider, {event("b", "x", 1, -1)}, WaitFor::kCompleted);
  mesh.run(200ms);
  mesh.handle(mesh.leader, MinerFound{mesh.share()});
  mesh.is_lost = {};
  mesh.run(2s);
  CHECK(mesh.outcome() == State::kRejected);
}

TEST_CASE("a voter without room is passed over, and asked again when nobody else has any") {
  const SparseMesh::Configure small = [](std::size_t node, CoreOptions& options) {
    if (node < 2) options.pool.events_max = 1;
  };
  SparseMesh mesh(3, 1, small);
  mesh.submit(mesh.leader, {event("a", "x", 1)}, WaitFor::kReceived);
  mesh.run(100ms);
  mesh.answers.clear();
  mesh.link(kOutsider, 0);
  mesh.link(kOutsider, 1);
  mesh.submit(kOutsider, {event("b", "x", 1)}, WaitFor::kDurable);
  mesh.run(100ms);
  CHECK(mesh.answers.empty());
  CHECK(mesh.count<net::EventsSubmit>(kOutsider, 0) == 1);
  CHECK(mesh.count<net::EventsSubmit>(kOutsider, 1) == 1);
  SUBCASE("somebody with room comes") {
    mesh.link(kOutsider, 2);
    mesh.run(100ms);
  }
  SUBCASE("a block makes room") {
    mesh.handle(mesh.leader, MinerFound{mesh.share()});
    mesh.run(2s);
  }
  CHECK(mesh.outcome() == State::kDurable);
}

TEST_CASE("what could not be submitted reaches the leader by announcements") {
  SparseMesh mesh(3, 2);
  mesh.is_lost = [](const SparseMesh::Letter& letter) { return is<net::EventsSubmit>(letter); };
  mesh.link(kOutsider, mesh.follower());
  mesh.link(kBehind, kOutsider);
  mesh.submit(kOutsider, {event("a", "x", 1)}, WaitFor::kReceived);
  mesh.submit(kBehind, {event("b", "x", 1)}, WaitFor::kReceived);
  mesh.run(16s);
  CHECK(mesh.core(mesh.leader).pool().size() == 2);
}

TEST_CASE("what a node without a vote announces finds room like what it submits") {
  const auto small_pools = [](std::size_t node, CoreOptions& options) {
    if (node != kOutsider) options.pool.events_max = 10;
  };
  SparseMesh mesh(3, 1, small_pools);
  mesh.link(kOutsider, mesh.leader);
  mesh.is_lost = [](const SparseMesh::Letter& letter) { return is<net::EventsSubmit>(letter); };
  std::vector<chain::HeldEvent> events;
  for (int i = 0; i < 50; ++i) events.push_back(event("e" + std::to_string(i), "x", 1));
  mesh.submit(kOutsider, events, WaitFor::kReceived);
  mesh.run(20s);
  CHECK(mesh.core(mesh.leader).pool().size() >= 8);
  CHECK(mesh.core(mesh.leader).pool().size() <= 9);  // the one that makes it full
}

TEST_CASE("a read at such a node waits until it has what was committed before") {
  SparseMesh mesh(3, 1);
  mesh.link(kOutsider, mesh.follower());
  mesh.is_lost = [&](const SparseMesh::Letter& letter) { return is<net::BlocksReply>(letter); };
  mesh.submit(mesh.leader, {event("a", "x", 1)}, WaitFor::kReceived);
  mesh.run(100ms);
  mesh.handle(mesh.leader, MinerFound{mesh.share()});
  mesh.run(100ms);
  REQUIRE(mesh.core(mesh.leader).chain_state().height() == chain::Height{1});
  mesh.handle(kOutsider, ClientReads{RequestId{7}, mesh.now.steady + 60s});
  mesh.run(1s);
  CHECK(mesh.count<net::ReadTold>(mesh.follower(), kOutsider) == 1);
  CHECK(mesh.reads.empty());
  mesh.is_lost = {};
  mesh.run(2s);
  REQUIRE(mesh.reads.size() == 1);
  CHECK(mesh.reads[0].reached);
  CHECK(mesh.core(kOutsider).chain_state().height() == chain::Height{1});
}

TEST_CASE("a read at such a node is asked of one voter after the other, and ends in time") {
  SparseMesh mesh(3, 1);
  mesh.link(kOutsider, mesh.follower(0));
  mesh.link(kOutsider, mesh.follower(1));
  std::set<std::size_t> asked;
  mesh.is_lost = [&](const SparseMesh::Letter& letter) {
    if (!is<net::ReadAsk>(letter) || letter.from != kOutsider) return false;
    asked.insert(letter.to);
    return true;
  };
  mesh.handle(kOutsider, ClientReads{RequestId{7}, mesh.now.steady + 1s});
  mesh.run(900ms);
  CHECK(asked.size() == 2);
  CHECK(mesh.reads.empty());
  mesh.run(200ms);
  REQUIRE(mesh.reads.size() == 1);
  CHECK_FALSE(mesh.reads[0].reached);
}

TEST_CASE("a read at such a node is answered by a voter that was asked, and by no other") {
  SparseMesh mesh(3, 1);
  mesh.link(kOutsider, mesh.follower(0));
  mesh.link(kOutsider, mesh.follower(1));
  std::optional<std::size_t> asked;
  std::uint64_t question = 0;
  mesh.is_lost = [&](const SparseMesh::Letter& letter) {
    if (!is<net::ReadAsk>(letter) || letter.from != kOutsider) return false;
    if (!asked) asked = letter.to;
    question = std::get<net::ReadAsk>(letter.message).question;
    return true;
  };
  mesh.handle(kOutsider, ClientReads{RequestId{7}, mesh.now.steady + 10s});
  mesh.run(100ms);  // less than it waits before it asks the other one
  REQUIRE(asked);
  const auto tells = [&](std::size_t voter) {
    mesh.handle(kOutsider,
                PeerSaid{voter_id(voter), net::ReadTold{question, {}, chain::Height{0}}});
  };
  tells(mesh.follower(0) == *asked ? mesh.follower(1) : mesh.follower(0));
  CHECK(mesh.reads.empty());
  tells(*asked);
  REQUIRE(mesh.reads.size() == 1);
  CHECK(mesh.reads[0].reached);
}

TEST_CASE("a voter that is cut off answers no read of others") {
  SparseMesh mesh(3, 1);
  const std::size_t lost = mesh.follower();
  mesh.link(kOutsider, lost);
  mesh.unlink(lost, mesh.leader);
  mesh.unlink(lost, mesh.follower(1));
  mesh.handle(kOutsider, ClientReads{RequestId{7}, mesh.now.steady + 3s});
  mesh.run(4s);
  REQUIRE(mesh.reads.size() == 1);
  CHECK_FALSE(mesh.reads[0].reached);
}

TEST_CASE("a template reaches nodes behind nodes, and a share finds the way back, each once") {
  SparseMesh mesh(3, 2);
  mesh.link(kOutsider, mesh.follower());
  mesh.link(kBehind, kOutsider);
  mesh.submit(mesh.leader, {event("a", "x", 1)}, WaitFor::kReceived);
  mesh.run(100ms);
  for (const std::size_t node : {kOutsider, kBehind})
    CHECK(mesh.core(node).status().working_on == chain::Height{1});
  CHECK(mesh.count<net::TemplatePush>(mesh.follower(), kOutsider) == 1);
  CHECK(mesh.count<net::TemplatePush>(kOutsider, kBehind) == 1);
  CHECK(mesh.count<net::TemplatePush>(kBehind, kOutsider) == 0);
  CHECK(mesh.count<net::TemplatePush>(kOutsider, mesh.follower()) == 0);

  mesh.handle(kBehind, MinerFound{mesh.share()});
  mesh.run(100ms);
  for (std::size_t node = 0; node < 5; ++node) {
    CHECK(mesh.core(node).chain_state().height() == chain::Height{1});
    CHECK(mesh.core(node).certified() == chain::Height{1});
  }
  CHECK(mesh.count<net::SharePush>(kBehind, kOutsider) == 1);
  CHECK(mesh.count<net::SharePush>(kOutsider, mesh.follower()) == 1);
  CHECK(mesh.count<net::SharePush>(mesh.follower(), mesh.leader) == 1);
  CHECK(mesh.count<net::SharePush>(mesh.follower(), kOutsider) == 0);
  CHECK(mesh.count<net::Signatures>(kOutsider, kBehind) == 1);
  CHECK(mesh.count<net::Signatures>(kBehind, kOutsider) == 0);
  CHECK(mesh.count<net::Signatures>(kOutsider, mesh.follower()) == 0);
}

TEST_CASE("a node outside Raft mines what the next leader makes of the same height") {
  SparseMesh mesh(3, 1);
  for (std::size_t voter = 0; voter < 3; ++voter) mesh.link(kOutsider, voter);
  mesh.submit(mesh.leader, {event("a", "x", 1)}, WaitFor::kReceived);
  mesh.run(100ms);
  // Two that lead one after the other need not know the same template.
  net::TemplatePush other{{mesh.order->header, {}}};
  for (const auto& letter : mesh.carried)
    if (is<net::TemplatePush>(letter)) other = std::get<net::TemplatePush>(letter.message);
  other.made.header.time.value += 1;
  const auto hash = chain::template_hash(other.made.header);
  const auto found = [&] {
    chain::TemplateHeader header = other.made.header;
    return MinerFound{{hash, seal_of(header).shares[0]}};
  };
  mesh.handle(kOutsider, PeerSaid{voter_id(mesh.follower()), other});
  const auto shares = mesh.core(kOutsider).status().counters.shares_accepted();
  mesh.handle(kOutsider, found());
  CHECK(mesh.core(kOutsider).status().counters.shares_accepted() == shares + 1);
}

TEST_CASE("a node that is linked to a voter is ready, though it knows no leader") {
  SparseMesh mesh(3, 1);
  CHECK_FALSE(mesh.core(kOutsider).status().ready);
  mesh.link(kOutsider, mesh.follower());
  CHECK(mesh.core(kOutsider).status().ready);
}
