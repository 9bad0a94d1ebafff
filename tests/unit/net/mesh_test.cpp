#include "net/asio/mesh.h"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/unit/net/mesh_world.h"

using namespace eventchain;
using namespace eventchain::net;
using namespace eventchain::net::testing;
using namespace std::chrono_literals;

namespace {

Message events(std::uint64_t batch) {
  return Events{batch, {{chain::Salt{}, std::string(2000, 'e')}}};
}

}  // namespace

TEST_CASE("two meshes find each other and hear what the other says") {
  LinkedPair pair;
  TestNode& a = pair.a;
  TestNode& b = pair.b;

  a.mesh->send(kB, tip(1));
  b.mesh->send(kA, tip(2));
  REQUIRE(b.seen.wait_said(kA, 1));
  REQUIRE(a.seen.wait_said(kB, 1));
  a.mesh->send(kC, tip(3));  // no link: nothing happens

  b.mesh->stop();
  REQUIRE(a.seen.wait_down(kB));
  a.mesh->stop();
  CHECK(b.seen.said(kA) == std::vector<Message>{tip(1)});
  CHECK(a.seen.said(kB) == std::vector<Message>{tip(2)});
  CHECK(b.seen.was_down_for("this node stops"));
  CHECK(a.mesh->counters().links == 0);
  CHECK(a.mesh->counters().frames_out[tip(1).index()] == 1);
  CHECK(a.mesh->counters().frames_in[tip(1).index()] == 1);
  CHECK(a.mesh->counters().bytes_in > 0);
}

TEST_CASE("three meshes that all dial each other end with one link for each pair") {
  World world;
  const std::string names = "abc";
  const std::vector<std::uint16_t> ports{free_port(), free_port(), free_port()};
  std::vector<std::unique_ptr<TestNode>> nodes;
  for (std::size_t i = 0; i < 3; ++i) {
    MeshOptions options = world.options(names[i]);
    options.listen_port = ports[i];
    for (std::size_t j = 0; j < 3; ++j)
      options.table.peers.push_back(World::address(names[j], ports[j]));
    nodes.push_back(std::make_unique<TestNode>(options));
  }
  for (const auto& node : nodes) REQUIRE(node->mesh->start().has_value());

  // A message on a link that gives way to a crossing one is lost, so each is said until it is
  // heard.
  for (std::size_t from = 0; from < 3; ++from) {
    for (std::size_t to = 0; to < 3; ++to) {
      if (from == to) continue;
      bool is_heard = false;
      for (int tries = 0; tries < 600 && !is_heard; ++tries) {
        nodes[from]->mesh->send(node_id(names[to]), tip(from));
        const auto heard = [&](const Recorder& seen) {
          return !seen.said(node_id(names[from])).empty();
        };
        is_heard = nodes[to]->seen.wait(heard, 100ms);
      }
      CHECK(is_heard);
    }
  }
  for (const auto& node : nodes) CHECK(node->mesh->counters().links == 2);
}

TEST_CASE("a message to several peers reaches each of them, and each class stays in order") {
  World world;
  TestNode a(world.options('a'));
  REQUIRE(a.mesh->start().has_value());
  std::vector<std::unique_ptr<TestNode>> others;
  for (const char name : {'b', 'c'}) {
    others.push_back(std::make_unique<TestNode>(world.dialling_a(name, a.mesh->port())));
    REQUIRE(others.back()->mesh->start().has_value());
  }
  REQUIRE(a.seen.wait_up(kB));
  REQUIRE(a.seen.wait_up(kC));

  constexpr std::uint64_t kCount = 2000;
  std::thread bulk([&a] {
    for (std::uint64_t batch = 1; batch <= kCount; ++batch) a.mesh->send({kB, kC}, events(batch));
  });
  for (std::uint64_t height = 1; height <= kCount; ++height) a.mesh->send({kB, kC}, tip(height));
  bulk.join();

  for (const auto& other : others) {
    REQUIRE(other->seen.wait_said(kA, 2 * kCount));
    other->mesh->stop();
    std::uint64_t tips = 0;
    std::uint64_t bodies = 0;
    for (const Message& message : other->seen.said(kA)) {
      if (const auto* said = std::get_if<TipSaid>(&message)) REQUIRE(said->height.value == ++tips);
      if (const auto* said = std::get_if<Events>(&message)) REQUIRE(said->batch == ++bodies);
    }
    CHECK(tips == kCount);
    CHECK(bodies == kCount);
  }
}

TEST_CASE("a peer that stops and starts is found again") {
  World world;
  MeshOptions a_options = world.options('a');
  a_options.listen_port = free_port();
  TestNode a(a_options);
  REQUIRE(a.mesh->start().has_value());
  TestNode b(world.dialling_a('b', a_options.listen_port));
  REQUIRE(b.mesh->start().has_value());
  REQUIRE(b.seen.wait_up(kA));

  a.mesh->stop();
  REQUIRE(b.seen.wait_down(kA));
  REQUIRE(a.mesh->start().has_value());
  REQUIRE(b.seen.wait_up(kA));
  REQUIRE(a.seen.wait_up(kB));
  b.mesh->send(kA, tip(5));
  CHECK(a.seen.wait_said(kB, 1));
  a.mesh->stop();
  a.mesh->stop();  // twice is once
}

TEST_CASE("a link that the node hangs up ends with its reason and is dialled anew") {
  LinkedPair pair;
  TestNode& a = pair.a;
  TestNode& b = pair.b;
  a.mesh->hang_up(kB, "it lied about a block");
  CHECK(a.seen.wait([](const Recorder& seen) {
    return seen.ups(kB) == std::vector<bool>{true, false, true};
  }));
  b.mesh->stop();
  a.mesh->stop();
  CHECK(a.seen.was_down_for("it lied about a block"));
}

TEST_CASE("an idle link lives on pings alone") {
  World world;
  MeshOptions a_options = world.options('a');
  a_options.timings.idle = 1s;
  a_options.timings.ping = 50ms;
  TestNode a(a_options);
  REQUIRE(a.mesh->start().has_value());
  RawClient client(a.mesh->port());
  REQUIRE(client.shake_hands(world.issue(kB)));
  REQUIRE(client.say(Hello{kProtocolVersion, chain_id('C'), kB, ""}));
  const auto hello = client.read_payload();
  REQUIRE(hello.has_value());
  CHECK(std::holds_alternative<Hello>(*decode(*hello)));
  for (int i = 0; i < 3; ++i) {
    CHECK(client.read_payload() == "");
    CHECK(client.send(make_frame("")));
  }
  // The client falls silent now, and the mesh notices.
  CHECK(a.seen.wait_down(kB));
  a.mesh->stop();
  CHECK(a.seen.was_down_for("silent"));
  CHECK(a.mesh->counters().pings_in == 3);
}

TEST_CASE("new certificates are taken without touching the links, bad ones are refused") {
  LinkedPair pair;
  TestNode& a = pair.a;
  TestNode& b = pair.b;

  pair.world.issue(kA);  // the same files, other content
  CHECK(a.mesh->reload().has_value());
  a.mesh->send(kB, tip(1));
  CHECK(b.seen.wait_said(kA, 1));

  pair.world.ca().issue(chain::to_hex(kA), {.names = "URI:" + World::uri_of(kC)});
  const chain::Result<void> refused = a.mesh->reload();
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message.find("this node is") != std::string::npos);
  a.mesh->send(kB, tip(2));
  CHECK(b.seen.wait_said(kA, 2));
}

TEST_CASE("a mesh that cannot work says so at once") {
  World world;
  MeshOptions taken = world.options('a');
  TestNode first(taken);
  REQUIRE(first.mesh->start().has_value());
  taken.listen_port = first.mesh->port();
  Recorder nobody;
  CHECK(Mesh(taken, nobody).start().error().code == chain::ErrorCode::kIo);

  MeshOptions missing = world.options('a');
  missing.key_file += ".missing";
  CHECK(Mesh(missing, nobody).start().error().code == chain::ErrorCode::kIo);

  MeshOptions talkative = world.options('a');
  talkative.software = std::string(limits::kSoftwareNameMax + 1, 'v');
  CHECK(Mesh(talkative, nobody).start().error().code == chain::ErrorCode::kTooLarge);

  MeshOptions of_another = world.options('a');
  of_another.self = kB;
  CHECK(Mesh(of_another, nobody).start().error().code == chain::ErrorCode::kInvalid);
}
