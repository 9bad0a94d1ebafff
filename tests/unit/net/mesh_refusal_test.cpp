#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "net/asio/mesh.h"
#include "tests/unit/net/mesh_world.h"

using namespace eventchain;
using namespace eventchain::net;
using namespace eventchain::net::testing;
using namespace std::chrono_literals;

namespace {

// Node a, with a good link to node b that must live through whatever strangers do to a.
struct Besieged : LinkedPair {
  using LinkedPair::LinkedPair;

  // The link is the same as in the beginning and carries messages both ways.
  void check_unharmed() {
    a.mesh->send(kB, tip(1));
    b.mesh->send(kA, tip(2));
    CHECK(b.seen.wait_said(kA, 1));
    CHECK(a.seen.wait_said(kB, 1));
    b.mesh->stop();
    a.mesh->stop();
    CHECK(a.seen.ups(kB) == std::vector<bool>{true, false});
    CHECK_FALSE(a.seen.was_up(kC));
  }
};

// What a client as node c hears until it is cut off, when it shows this certificate and hello.
void be_refused(Besieged& siege, const PkiFiles& files, const Hello& hello) {
  RawClient client(siege.a.mesh->port());
  // With TLS 1.3 a client learns of a refused certificate only when it reads.
  if (client.shake_hands(files) && client.say(hello))
    while (client.read_payload()) continue;
}

Hello hello_of(chain::NodeId node) {
  return {kProtocolVersion, chain_id('C'), node, "raw", store_id('c')};
}

}  // namespace

TEST_CASE("a node of another authority is refused, by whoever looks first") {
  Besieged siege;
  TestCa other("other-ca");
  const PkiFiles files = other.issue("c", {.names = "URI:" + World::uri_of(kC)});
  be_refused(siege, files, hello_of(kC));
  CHECK(siege.a.wait_ending(Ending::kTls, "certificate verify failed"));

  // A whole mesh of the other authority refuses us in its turn.
  MeshOptions options = siege.world.dialling_a('c', siege.a.mesh->port());
  World::set_files(options, files);
  TestNode stranger(options);
  REQUIRE(stranger.mesh->start().has_value());
  CHECK(stranger.wait_ending(Ending::kTls, "certificate verify failed"));
  stranger.mesh->stop();
  siege.check_unharmed();
}

TEST_CASE("certificates of our own authority that are no node's open no link") {
  Besieged siege;
  const std::string good = "URI:" + World::uri_of(kC);
  struct Case {
    const char* name;
    CertificateSpec spec;
    Ending ending;
    const char* told;
  };
  const Case cases[] = {
      {"client",
       {.names = "URI:spiffe://example.org/eventchain/orders/client/billing"},
       Ending::kIdentity,
       "a client's certificate"},
      {"other chain",
       {.names = "URI:spiffe://example.org/eventchain/bills/node/" + chain::to_hex(kC)},
       Ending::kIdentity,
       "of another chain"},
      {"two URIs", {.names = good + ",URI:https://x"}, Ending::kIdentity, "exactly one URI"},
      {"no URI", {.names = "DNS:c.example.org"}, Ending::kIdentity, "exactly one URI"},
      {"no names", {.names = ""}, Ending::kIdentity, "no list of alternative names"},
      {"CA",
       {.names = good, .usage = "digitalSignature,keyCertSign", .is_ca = true},
       Ending::kIdentity,
       "is a CA's"},
      {"no roles", {.names = good, .roles = ""}, Ending::kIdentity, "both roles"},
      {"one role", {.names = good, .roles = "clientAuth"}, Ending::kIdentity, "both roles"},
      {"wrong role", {.names = good, .roles = "serverAuth"}, Ending::kTls, "certificate purpose"},
      {"no usage", {.names = good, .usage = ""}, Ending::kIdentity, "digital signatures"},
      {"expired", {.names = good, .is_expired = true}, Ending::kTls, "expired"},
      {"ourselves", {.names = "URI:" + World::uri_of(kA)}, Ending::kIdentity, "own id"},
      {"unknown",
       {.names = "URI:" + World::uri_of(node_id('u'))},
       Ending::kUnknownNode,
       "not in the member list"},
  };
  for (const Case& refused : cases) {
    INFO("certificate: ", std::string(refused.name));
    be_refused(siege, siege.world.ca().issue("case", refused.spec), hello_of(kC));
    CHECK(siege.a.wait_ending(refused.ending, refused.told));
  }
  be_refused(siege, {}, hello_of(kC));
  CHECK(siege.a.wait_ending(Ending::kTls, "peer did not return a certificate"));
  siege.check_unharmed();
}

TEST_CASE("a good certificate with a wrong hello opens no link") {
  Besieged siege;
  const PkiFiles files = siege.world.issue(kC);
  Hello other_chain = hello_of(kC);
  other_chain.chain = chain_id('D');
  be_refused(siege, files, other_chain);
  CHECK(siege.a.wait_ending(Ending::kHello, "belongs to chain 4444"));
  Hello other_protocol = hello_of(kC);
  other_protocol.protocol = kProtocolVersion + 1;
  be_refused(siege, files, other_protocol);
  CHECK(siege.a.wait_ending(Ending::kHello, "speaks protocol 4"));
  be_refused(siege, files, hello_of(kB));
  CHECK(siege.a.wait_ending(Ending::kHello, "not its certificate's node"));

  RawClient rude(siege.a.mesh->port());
  REQUIRE(rude.shake_hands(files));
  REQUIRE(rude.say(tip(9)));
  CHECK(siege.a.wait_ending(Ending::kHello, "must be a hello"));
  siege.check_unharmed();
}

TEST_CASE("a node that answers at another one's address does not lose its own link over it") {
  Besieged siege;
  MeshOptions options = siege.world.options('c');
  options.table.peers = {World::address('b', siege.a.mesh->port())};
  TestNode misled(options);
  REQUIRE(misled.mesh->start().has_value());
  CHECK(misled.wait_ending(Ending::kIdentity, "was dialled"));
  misled.mesh->stop();
  CHECK_FALSE(misled.seen.was_up(kA));
  siege.a.mesh->send(kB, tip(1));
  CHECK(siege.b.seen.wait_said(kA, 1));
}

TEST_CASE("what is not TLS 1.3 does not get as far as a hello") {
  Besieged siege;
  RawClient garbage(siege.a.mesh->port());
  garbage.send_plain("GET / HTTP/1.1\r\n\r\n");
  CHECK(siege.a.wait_ending(Ending::kTls, "TLS handshake"));
  RawClient old(siege.a.mesh->port());
  CHECK_FALSE(old.shake_hands(siege.world.issue(kC), TLS1_2_VERSION));
  CHECK(siege.a.wait_ending(Ending::kTls, "unsupported protocol", 2));
  siege.check_unharmed();
}

TEST_CASE("handshakes that stand still are ended, wherever they stopped") {
  Besieged siege(500ms);
  RawClient silent(siege.a.mesh->port());
  RawClient shaken(siege.a.mesh->port());
  REQUIRE(shaken.shake_hands(siege.world.issue(kC)));  // and no hello
  CHECK(siege.a.wait_ending(Ending::kTimeout, "took longer", 2));
  siege.check_unharmed();
}

TEST_CASE("no stranger makes us hold more than so many handshakes") {
  Besieged siege;
  std::vector<std::unique_ptr<RawClient>> crowd;
  for (std::size_t i = 0; i < limits::kHandshakesMax + 3; ++i)
    crowd.push_back(std::make_unique<RawClient>(siege.a.mesh->port()));
  CHECK(siege.a.wait_ending(Ending::kTooMany, "too many handshakes", 3));
  crowd.clear();
  CHECK(siege.a.wait_ending(Ending::kTls, "TLS handshake", limits::kHandshakesMax));
  // There is room again for who means it.
  RawClient client(siege.a.mesh->port());
  REQUIRE(client.shake_hands(siege.world.issue(kC)));
  REQUIRE(client.say(hello_of(kC)));
  CHECK(siege.a.seen.wait_up(kC));
}

TEST_CASE("a link that says nonsense is ended, counted and told") {
  Besieged siege;
  const PkiFiles files = siege.world.issue(kC);
  const chain::Bytes nonsense[] = {
      make_frame("nonsense"),
      make_frame(encode(hello_of(kC))),
      std::string("\xff\xff\xff\xff", 4),
  };
  std::uint64_t count = 0;
  for (const chain::Bytes& bytes : nonsense) {
    RawClient client(siege.a.mesh->port());
    REQUIRE(client.shake_hands(files));
    REQUIRE(client.say(hello_of(kC)));
    REQUIRE(siege.a.seen.wait_up(kC));
    REQUIRE(client.send(bytes));
    CHECK(siege.a.wait_ending(Ending::kMalformed, "malformed", ++count));
    while (client.read_payload()) continue;
  }
  siege.a.mesh->stop();
  CHECK(siege.a.seen.was_down_for("a second hello"));
  CHECK(siege.a.seen.was_down_for("announces 4294967295 octets"));
}

TEST_CASE("a peer that never reads is dropped when its queue is full, and nobody else waits") {
  Besieged siege;
  RawClient client(siege.a.mesh->port());
  REQUIRE(client.shake_hands(siege.world.issue(kC)));
  REQUIRE(client.say(hello_of(kC)));
  REQUIRE(siege.a.seen.wait_up(kC));

  const Message bulk = Events{1, {{chain::Salt{}, std::string(1 << 20, 'e')}}};
  // The bound and what the kernel's buffers may swallow.
  bool is_dropped = false;
  for (int megabytes = 0; megabytes < 256 && !is_dropped; ++megabytes) {
    siege.a.mesh->send(kC, bulk);
    is_dropped = siege.a.seen.wait(
        [](const Recorder& seen) { return seen.was_down_for("send queue is full"); }, 0ms);
  }
  CHECK(siege.a.seen.wait_down(kC));
  CHECK(siege.a.wait_ending(Ending::kTooSlow, "send queue is full"));
  siege.a.mesh->send(kB, tip(1));
  CHECK(siege.b.seen.wait_said(kA, 1));
}

TEST_CASE("a newer connection of the same peer takes the link, and the old one is heard no more") {
  Besieged siege;
  const PkiFiles files = siege.world.issue(kC);
  RawClient first(siege.a.mesh->port());
  REQUIRE(first.shake_hands(files));
  REQUIRE(first.say(hello_of(kC)));
  REQUIRE(siege.a.seen.wait_up(kC));
  RawClient second(siege.a.mesh->port());
  REQUIRE(second.shake_hands(files));
  REQUIRE(second.say(hello_of(kC)));
  CHECK(siege.a.wait_ending(Ending::kSuperseded, "newer connection"));
  first.say(tip(1));
  REQUIRE(second.say(tip(2)));
  CHECK(siege.a.seen.wait_said(kC, 1));
  siege.a.mesh->stop();
  CHECK(siege.a.seen.ups(kC) == std::vector<bool>{true, false, true, false});
  CHECK(siege.a.seen.said(kC) == std::vector<Message>{tip(2)});
}

TEST_CASE("a peer that opens link after link is refused after some, and its last one stays") {
  World world;
  MeshOptions options = world.options('a');
  options.rules.opened_at_once = 3;
  options.rules.opened_every = 24h;
  TestNode a(options);
  REQUIRE(a.mesh->start().has_value());
  const PkiFiles files = world.issue(kC);
  std::vector<std::unique_ptr<RawClient>> links;
  const auto open = [&] {
    links.push_back(std::make_unique<RawClient>(a.mesh->port()));
    if (links.back()->shake_hands(files)) links.back()->say(hello_of(kC));
  };
  for (std::uint64_t opened = 1; opened <= 3; ++opened) {
    open();
    if (opened > 1) CHECK(a.wait_ending(Ending::kSuperseded, "newer connection", opened - 1));
  }
  open();
  CHECK(a.wait_ending(Ending::kTooOften, "too often"));
  REQUIRE(links[2]->say(tip(1)));
  CHECK(a.seen.wait_said(kC, 1));
  a.mesh->stop();
  CHECK(a.seen.ups(kC) == std::vector<bool>{true, false, true, false, true, false});
}
