// Linearizable reads at voters that have no link to the leader.

#include "node/reads.h"

#include <doctest/doctest.h>

#include "tests/unit/node_core/sparse_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

namespace {

template <class Kind>
bool is(const SparseMesh::Letter& letter) {
  return std::holds_alternative<Kind>(letter.message);
}

void read(SparseMesh& mesh, std::size_t at, std::chrono::milliseconds patience) {
  mesh.handle(at, ClientReads{RequestId{++mesh.requests}, mesh.now.steady + patience});
}

// A block with one event, committed by all that the leader reaches.
void seal_one(SparseMesh& mesh, const std::string& id) {
  const chain::Height before = mesh.core(mesh.leader).chain_state().height();
  mesh.submit(mesh.leader, {event(id, "x", 1)}, WaitFor::kReceived);
  mesh.run(100ms);
  mesh.handle(mesh.leader, MinerFound{mesh.share()});
  mesh.run(100ms);
  REQUIRE(mesh.core(mesh.leader).chain_state().height() == before.next());
}

void isolate(SparseMesh& mesh, std::size_t node) {
  for (std::size_t other = 0; other < mesh.nodes.size(); ++other)
    if (other != node) mesh.unlink(node, other);
}

}  // namespace

TEST_CASE("a voter that is linked to a follower only reads all that was committed before") {
  SparseMesh mesh(3, 0);
  const std::size_t lost = mesh.follower(0);
  mesh.unlink(lost, mesh.leader);
  SUBCASE("before it knows that it has lost the leader") {}
  SUBCASE("when it knows no leader any more") {
    mesh.run(5s);
    REQUIRE(!mesh.core(lost).replica().leader());
  }
  mesh.is_lost = [&](const SparseMesh::Letter& letter) { return is<net::BlocksReply>(letter); };
  seal_one(mesh, "a");
  read(mesh, lost, 60s);
  mesh.run(1s);
  CHECK(mesh.count<net::ReadTold>(mesh.follower(1), lost) == 1);
  CHECK(mesh.reads.empty());
  mesh.is_lost = {};
  mesh.run(2s);
  REQUIRE(mesh.reads.size() == 1);
  CHECK(mesh.reads[0].reached);
  CHECK(mesh.core(lost).chain_state().height() == chain::Height{1});
}

TEST_CASE("a read that waits for an index is asked anew when the leader is lost") {
  SparseMesh mesh(3, 0);
  const std::size_t lost = mesh.follower(0);
  mesh.is_lost = [&](const SparseMesh::Letter& letter) {
    return letter.to == lost && is<net::RaftSaid>(letter);
  };
  seal_one(mesh, "a");
  read(mesh, lost, 60s);
  mesh.run(50ms);
  REQUIRE(mesh.count<net::ReadTold>(mesh.leader, lost) == 1);
  mesh.unlink(lost, mesh.leader);
  mesh.run(2s);
  REQUIRE(mesh.reads.size() == 1);
  CHECK(mesh.reads[0].reached);
  CHECK(mesh.core(lost).chain_state().height() == chain::Height{1});
}

TEST_CASE("a voter gives no answer for a leader that has lost its majority") {
  SparseMesh mesh(7, 0);
  const std::size_t asker = mesh.follower(0);
  const std::size_t asked = mesh.follower(1);
  isolate(mesh, asker);
  mesh.link(asker, asked);
  for (std::size_t other = 2; other < 6; ++other) isolate(mesh, mesh.follower(other));
  read(mesh, asker, 60s);
  mesh.run(300ms);
  REQUIRE(mesh.core(mesh.leader).replica().is_ready());
  CHECK(mesh.count<net::ReadAsk>(asked, mesh.leader) > 0);
  CHECK(mesh.reads.empty());
  mesh.run(5s);
  CHECK(mesh.reads.empty());
  for (const std::size_t back : {mesh.follower(2), mesh.follower(3)})
    for (const std::size_t other : {mesh.leader, asked}) mesh.link(back, other);
  mesh.run(20s);
  REQUIRE(mesh.reads.size() == 1);
  CHECK(mesh.reads[0].reached);
}

TEST_CASE("voters that have all lost the leader ask one another in vain, and not often") {
  SparseMesh mesh(7, 0);
  std::vector<std::size_t> lost = {mesh.follower(0), mesh.follower(1), mesh.follower(2)};
  for (const std::size_t node : lost) isolate(mesh, node);
  mesh.link(lost[0], lost[1]);
  mesh.link(lost[1], lost[2]);
  mesh.link(lost[0], lost[2]);
  SUBCASE("before they know") {}
  SUBCASE("later") {
    mesh.run(5s);
  }
  mesh.carried.clear();
  for (const std::size_t node : lost) read(mesh, node, 2s);
  mesh.run(3s);
  REQUIRE(mesh.reads.size() == 3);
  for (const auto& one : mesh.reads) CHECK_FALSE(one.reached);
  std::size_t asks = 0;
  for (const std::size_t a : lost)
    for (const std::size_t b : lost) asks += mesh.count<net::ReadAsk>(a, b);
  CHECK(asks >= 3);
  CHECK(asks <= 3 * (2s / Reads::kRepeatEvery + 1));
  const std::size_t before = mesh.carried.size();
  mesh.run(5s);
  for (std::size_t i = before; i < mesh.carried.size(); ++i)
    CHECK_FALSE(is<net::ReadAsk>(mesh.carried[i]));
}

TEST_CASE("a question goes over one voter and no further") {
  SparseMesh mesh(5, 0);
  const std::size_t asker = mesh.follower(0);
  const std::size_t between = mesh.follower(1);
  const std::size_t near = mesh.follower(2);
  isolate(mesh, asker);
  isolate(mesh, between);
  mesh.link(asker, between);
  mesh.link(between, near);
  mesh.carried.clear();
  read(mesh, asker, 2s);
  mesh.run(1s);
  CHECK(mesh.count<net::ReadAsk>(asker, between) > 1);
  CHECK(mesh.count<net::ReadAsk>(between, near) == 0);
  mesh.link(between, mesh.leader);
  mesh.run(500ms);
  REQUIRE(mesh.reads.size() == 1);
  CHECK(mesh.reads[0].reached);
}
