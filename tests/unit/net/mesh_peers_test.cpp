#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

#include "net/asio/mesh.h"
#include "net/codec.h"
#include "tests/unit/net/mesh_world.h"

// The table of peers changes while meshes run.
using namespace eventchain;
using namespace eventchain::net;
using namespace eventchain::net::testing;
using namespace std::chrono_literals;

namespace {

// A peer that is known, and dials us.
Peer guest(char name, bool is_voter = true) {
  return {node_id(name), "", 0, is_voter, ""};
}

// Options that allow nobody but those in the table.
MeshOptions strict(World& world, char name, std::vector<Peer> peers) {
  MeshOptions options = world.options(name);
  options.allowed.clear();
  options.table.peers = std::move(peers);
  return options;
}

}  // namespace

TEST_CASE("a peer that is removed is hung up and cannot come back until it is a member again") {
  World world;
  TestNode a(strict(world, 'a', {guest('b'), guest('c')}));
  REQUIRE(a.mesh->start().has_value());
  TestNode b(strict(world, 'b', {World::address('a', a.mesh->port())}));
  TestNode c(strict(world, 'c', {World::address('a', a.mesh->port())}));
  REQUIRE(b.mesh->start().has_value());
  REQUIRE(c.mesh->start().has_value());
  REQUIRE(a.seen.wait_up(kB));
  REQUIRE(a.seen.wait_up(kC));

  a.mesh->set_peers({{guest('c')}, false});
  REQUIRE(a.seen.wait_down(kB));
  CHECK(a.wait_ending(Ending::kRemoved, "(removed): no longer a member"));
  CHECK(a.wait_ending(Ending::kUnknownNode, "is not in the member list", 2));

  a.mesh->set_peers({{guest('b'), guest('c')}, false});
  CHECK(a.seen.wait([](const Recorder& seen) { return seen.is_up(kB); }));
  a.mesh->stop();
  CHECK(a.seen.was_down_for("no longer a member"));
  CHECK(a.seen.ups(kB) == std::vector<bool>{true, false, true, false});
  CHECK(a.seen.ups(kC) == std::vector<bool>{true, false});
}

TEST_CASE("who is no member is told so instead of being linked, as of the newest block") {
  World world;
  MeshOptions of_a = strict(world, 'a', {guest('c')});
  of_a.table.as_of = chain::Height{7};
  TestNode a(of_a);
  REQUIRE(a.mesh->start().has_value());
  TestNode b(strict(world, 'b', {World::address('a', a.mesh->port())}));
  REQUIRE(b.mesh->start().has_value());
  CHECK(b.seen.wait([](const Recorder& seen) { return seen.refused_by(kA) == chain::Height{7}; }));
  CHECK(b.wait_ending(Ending::kStranger, "no member as of block 7"));
  CHECK(a.wait_ending(Ending::kUnknownNode, "is not in the member list"));

  a.mesh->set_peers({{guest('c')}, false, chain::Height{9}});
  CHECK(b.seen.wait([](const Recorder& seen) { return seen.refused_by(kA) == chain::Height{9}; }));
  a.mesh->stop();
  b.mesh->stop();
  CHECK_FALSE(a.seen.was_up(kB));
  CHECK_FALSE(b.seen.was_up(kA));
}

TEST_CASE("a stranger is told nothing more, and may say no more than a hello") {
  World world;
  MeshOptions of_a = strict(world, 'a', {guest('c')});
  of_a.table.as_of = chain::Height{7};
  TestNode a(of_a);
  REQUIRE(a.mesh->start().has_value());
  const PkiFiles files = world.issue(kB);
  {
    RawClient stranger(a.mesh->port());
    REQUIRE(stranger.shake_hands(files));
    const auto payload = stranger.read_payload();
    REQUIRE(payload.has_value());
    const auto message = decode(*payload);
    REQUIRE(message.has_value());
    const auto* hello = std::get_if<Hello>(&*message);
    REQUIRE(hello != nullptr);
    CHECK(hello->refused_at == chain::Height{7});
    CHECK(hello->software.empty());
    CHECK(hello->feature_level == 1);
    REQUIRE(stranger.send(make_frame(chain::Bytes(limits::kHelloBytesMax + 1, 'x'))));
    while (stranger.read_payload()) continue;
    CHECK(a.wait_ending(Ending::kMalformed, "over the limit of 1024"));
  }
  // Who knows nothing of any block closes before a word is said: it may be the one that is behind.
  a.mesh->set_peers({{guest('c')}, false});
  RawClient early(a.mesh->port());
  if (early.shake_hands(files)) CHECK_FALSE(early.read_payload().has_value());
  CHECK(a.wait_ending(Ending::kUnknownNode, "is not in the member list"));
}

TEST_CASE("a member is linked in the time of its membership only, and a link outlives it") {
  World world;
  Peer late = guest('b');
  late.valid_from = {4'000'000'000'000};
  Peer early = guest('c');
  early.valid_until = {1'000'000'000'000};
  TestNode a(strict(world, 'a', {late, early}));
  REQUIRE(a.mesh->start().has_value());
  TestNode b(strict(world, 'b', {World::address('a', a.mesh->port())}));
  TestNode c(strict(world, 'c', {World::address('a', a.mesh->port())}));
  REQUIRE(b.mesh->start().has_value());
  REQUIRE(c.mesh->start().has_value());
  CHECK(a.wait_ending(Ending::kNotValid, "membership does not count", 4));

  late.valid_from = {1};
  late.valid_until = {4'000'000'000'000};
  a.mesh->set_peers({{late, early}, false});
  REQUIRE(a.seen.wait_up(kB));
  late.valid_until = {1'000'000'000'000};
  early.valid_until = {};
  a.mesh->set_peers({{late, early}, false});
  REQUIRE(a.seen.wait_up(kC));
  a.mesh->stop();
  CHECK(a.seen.ups(kB) == std::vector<bool>{true, false});
  CHECK(a.seen.was_down_for("this node stops"));
  CHECK(a.seen.hello_of(kB).store == store_id('b'));
  CHECK(a.seen.hello_of(kB).feature_level == 3);
}

TEST_CASE("a peer that is added is dialled, and is still known after a restart") {
  World world;
  TestNode a(strict(world, 'a', {guest('b')}));
  REQUIRE(a.mesh->start().has_value());
  TestNode b(strict(world, 'b', {}));
  b.mesh->set_peers({{World::address('a', a.mesh->port())}, false});  // before it runs
  REQUIRE(b.mesh->start().has_value());
  REQUIRE(b.seen.wait_up(kA));

  TestNode c(strict(world, 'c', {guest('b')}));
  REQUIRE(c.mesh->start().has_value());
  b.mesh->set_peers(
      {{World::address('a', a.mesh->port()), World::address('c', c.mesh->port())}, true});
  REQUIRE(b.seen.wait_up(kC));
  REQUIRE(c.seen.wait_up(kB));

  b.mesh->stop();
  REQUIRE(c.seen.wait_down(kB));
  REQUIRE(b.mesh->start().has_value());
  CHECK(c.seen.wait([](const Recorder& seen) { return seen.is_up(kB); }));
  CHECK(b.seen.wait_up(kA));
}

TEST_CASE(
    "of tables that come from another thread while a mesh starts and stops the last one holds") {
  World world;
  TestNode a(strict(world, 'a', {guest('b')}));
  REQUIRE(a.mesh->start().has_value());
  const PeerTable known{{World::address('a', a.mesh->port())}, false};
  TestNode b(strict(world, 'b', {}));
  for (int round = 0; round < 10; ++round) {
    std::thread teller([&] {
      for (int i = 0; i < 100; ++i) {
        b.mesh->set_peers({});
        b.mesh->set_peers(known);
      }
    });
    const bool is_started = b.mesh->start().has_value();
    teller.join();
    REQUIRE(is_started);
    CHECK(b.seen.wait([](const Recorder& seen) { return seen.is_up(kA); }));
    b.mesh->stop();
  }
}

TEST_CASE("a peer that moves is found at its new address") {
  World world;
  TestNode a(strict(world, 'a', {World::address('b', free_port())}));
  REQUIRE(a.mesh->start().has_value());
  REQUIRE(a.seen.wait([](const Recorder& seen) { return seen.was_logged("cannot reach node"); }));
  TestNode b(strict(world, 'b', {guest('a')}));
  REQUIRE(b.mesh->start().has_value());
  a.mesh->set_peers({{World::address('b', b.mesh->port())}, false});
  CHECK(a.seen.wait_up(kB));
  CHECK(b.seen.wait_up(kA));
}

TEST_CASE("a full node refuses others before a link comes of it, and takes voters all the same") {
  World world;
  MeshOptions options = strict(world, 'a', {guest('b', false), guest('c', false)});
  options.rules.inbound_max = 1;
  TestNode a(options);
  REQUIRE(a.mesh->start().has_value());
  TestNode b(strict(world, 'b', {World::address('a', a.mesh->port())}));
  REQUIRE(b.mesh->start().has_value());
  REQUIRE(a.seen.wait_up(kB));

  TestNode c(strict(world, 'c', {World::address('a', a.mesh->port())}));
  REQUIRE(c.mesh->start().has_value());
  CHECK(a.wait_ending(Ending::kFull, "no room", 2));

  // As a voter it is let in, and does not take b's place.
  a.mesh->set_peers({{guest('b', false), guest('c', true)}, false});
  REQUIRE(a.seen.wait_up(kC));
  REQUIRE(c.seen.wait_up(kA));
  c.mesh->stop();
  a.mesh->stop();
  CHECK(c.seen.ups(kA) == std::vector<bool>{true, false});
  CHECK(a.seen.ups(kB) == std::vector<bool>{true, false});
}

TEST_CASE("with more peers than links, the voter is dialled and a link gives way to a new one") {
  World world;
  TestNode a(strict(world, 'a', {guest('d', false)}));
  TestNode b(strict(world, 'b', {guest('d', false)}));
  TestNode c(strict(world, 'c', {guest('d', false)}));
  for (TestNode* node : {&a, &b, &c}) REQUIRE(node->mesh->start().has_value());
  std::vector<Peer> peers{World::address('a', a.mesh->port()), World::address('b', b.mesh->port()),
                          World::address('c', c.mesh->port())};
  peers[1].is_voter = peers[2].is_voter = false;
  MeshOptions options = strict(world, 'd', peers);
  options.rules.outgoing = 2;
  options.rules.voters = 1;
  options.rules.rotate_every = 400ms;
  TestNode d(options);
  REQUIRE(d.mesh->start().has_value());
  REQUIRE(d.seen.wait(
      [](const Recorder& seen) { return seen.ups(kB).size() >= 3 && seen.ups(kC).size() >= 3; }));
  d.mesh->stop();
  CHECK(d.seen.ups(kA) == std::vector<bool>{true, false});
  CHECK(d.seen.was_down_for("a link to another node takes its place"));
}
