#include "net/peer_book.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

using namespace eventchain;
using namespace eventchain::net;
using namespace std::chrono_literals;

namespace {

chain::NodeId node_id(int number) {
  return *chain::NodeId::from(std::string(15, 'n') + static_cast<char>(number));
}
constexpr chain::Instant at(std::chrono::nanoseconds time) {
  return {time};
}
Peer peer(int number, bool is_voter, const std::string& site = "") {
  return {node_id(number), "host" + std::to_string(number), 7000, is_voter, site};
}

// A table of voters 1, 2, .. and others 101, 102, ..
PeerTable table_of(int voters, int others, bool self_is_voter = false) {
  PeerTable table;
  table.self_is_voter = self_is_voter;
  for (int i = 1; i <= voters; ++i) table.peers.push_back(peer(i, true));
  for (int i = 101; i <= 100 + others; ++i) table.peers.push_back(peer(i, false));
  return table;
}

bool is_voter(chain::NodeId node) {
  return node < node_id(100);
}
bool is_voter(const Peer& to) {
  return to.is_voter;
}

// Node 99 and its book.
struct Dialler {
  explicit Dialler(const PeerTable& table, const PeerRules& rules = {})
      : book(node_id(99), rules, chain::Rng(7)) {
    book.set_table(table);
  }

  std::vector<Peer> dials(std::chrono::nanoseconds time) { return book.next(at(time)).dial; }
  // Dials what is wanted until nothing is, and every dial succeeds. Returns the diallings.
  std::vector<Peer> settle(std::chrono::nanoseconds time) {
    std::vector<Peer> all;
    while (true) {
      const PeerBook::Plan plan = book.next(at(time));
      for (const chain::NodeId& node : plan.hang_up) book.link_down(node, at(time));
      for (const Peer& to : plan.dial) book.link_up(to.node, Origin::kDialled, at(time));
      all.insert(all.end(), plan.dial.begin(), plan.dial.end());
      if (plan.dial.empty() && plan.hang_up.empty()) return all;
    }
  }

  PeerBook book;
};

template <class Items>
std::ptrdiff_t voters_in(const Items& items) {
  return std::count_if(items.begin(), items.end(), [](const auto& item) { return is_voter(item); });
}

}  // namespace

TEST_CASE("a voter dials all other voters at once and nobody else") {
  PeerTable table = table_of(7, 20, true);
  table.peers.push_back(peer(99, true));  // its own entry
  table.peers[2].host.clear();            // dials us
  Dialler voter(table);
  const std::vector<Peer> dialled = voter.dials(0s);
  CHECK(dialled.size() == 6);
  CHECK(voters_in(dialled) == 6);
  CHECK(voter.dials(0s).empty());
}

TEST_CASE("another node has six links of its own, two of them to voters, chosen at random") {
  std::set<chain::NodeId> chosen;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    PeerBook book(node_id(99), PeerRules{}, chain::Rng(seed));
    book.set_table(table_of(7, 20));
    const PeerBook::Plan plan = book.next(at(0s));
    CHECK(plan.dial.size() == 6);
    CHECK(voters_in(plan.dial) == 2);
    for (const Peer& to : plan.dial) chosen.insert(to.node);
  }
  CHECK(chosen.size() > 20);
}

TEST_CASE("with few candidates everybody is dialled") {
  CHECK(Dialler(table_of(3, 2)).dials(0s).size() == 5);
  CHECK(Dialler(table_of(6, 0)).dials(0s).size() == 6);
  CHECK(Dialler(table_of(0, 4)).dials(0s).size() == 4);
  // Four who do not vote, and voters for what is left.
  const std::vector<Peer> dialled = Dialler(table_of(5, 3)).dials(0s);
  CHECK(dialled.size() == 6);
  CHECK(voters_in(dialled) == 3);
  CHECK(Dialler(PeerTable{}).dials(0s).empty());
}

TEST_CASE("who has dialled us is not dialled, and counts as a voter's link but not as our own") {
  Dialler node(table_of(1, 8));
  node.book.link_up(node_id(1), Origin::kAccepted, at(0s));
  node.book.link_up(node_id(101), Origin::kAccepted, at(0s));
  node.book.link_up(node_id(102), Origin::kAccepted, at(0s));
  const std::vector<Peer> dialled = node.settle(0s);
  CHECK(dialled.size() == 6);
  CHECK(voters_in(dialled) == 0);
  for (const Peer& to : dialled) CHECK(to.node > node_id(102));
}

TEST_CASE("a failing address is dialled ever less often: a voter each 2 s, another each minute") {
  struct Case {
    int number;
    bool self_is_voter;
    DialFailure failure;
    std::chrono::nanoseconds longest;
  };
  const std::vector<Case> cases{
      {1, false, DialFailure::kUnreachable, 2s},    {1, true, DialFailure::kUnreachable, 2s},
      {1, true, DialFailure::kRefused, 2s},         {1, false, DialFailure::kRefused, 60s},
      {101, false, DialFailure::kUnreachable, 60s}, {101, false, DialFailure::kRefused, 60s}};
  for (const Case& sample : cases) {
    CAPTURE(sample.number);
    CAPTURE(sample.self_is_voter);
    PeerRules rules;
    rules.rotate_every = 24h;  // which asks for nothing here
    Dialler node(
        PeerTable{{peer(sample.number, is_voter(node_id(sample.number)))}, sample.self_is_voter},
        rules);
    chain::Instant now = at(0s);
    std::chrono::nanoseconds expected = 100ms;
    for (int tries = 1; tries <= 20; ++tries) {
      REQUIRE(node.book.next(now).dial.size() == 1);
      CHECK(node.book.dial_failed(node_id(sample.number), sample.failure, now) == tries);
      const PeerBook::Plan plan = node.book.next(now);
      CHECK(plan.dial.empty());
      REQUIRE(plan.ask_again.has_value());
      const std::chrono::nanoseconds wait = *plan.ask_again - now;
      CHECK(wait >= expected / 2);
      CHECK(wait <= expected);
      now = *plan.ask_again;
      expected = std::min(expected * 2, sample.longest);
    }
  }
}

TEST_CASE("a link that lasts ends the back-off, one that does not goes on with it") {
  for (const auto lasts : {1s, 10s}) {
    Dialler node(table_of(1, 0));
    chain::Instant now = at(0s);
    for (int tries = 0; tries < 6; ++tries) {
      now = now + 10s;
      REQUIRE(node.book.next(now).dial.size() == 1);
      node.book.dial_failed(node_id(1), DialFailure::kUnreachable, now);
    }
    now = now + 10s;
    REQUIRE(node.book.next(now).dial.size() == 1);
    node.book.link_up(node_id(1), Origin::kDialled, now);
    node.book.link_down(node_id(1), now + lasts);
    CHECK(node.book.next(now + lasts + 100ms).dial.size() == (lasts == 10s ? 1 : 0));
  }
}

TEST_CASE("of a dial that crosses the peer's own nothing is left but the peer's link") {
  Dialler node(table_of(1, 0));
  REQUIRE(node.dials(0s).size() == 1);
  node.book.link_up(node_id(1), Origin::kAccepted, at(1s));
  CHECK(node.book.dial_failed(node_id(1), DialFailure::kRefused, at(1s)) == 0);
  CHECK(node.dials(60s).empty());
  node.book.link_down(node_id(1), at(61s));
  CHECK(node.dials(62s).size() == 1);
}

TEST_CASE("every five minutes a new link takes an old one's place, once it is up") {
  Dialler node(table_of(3, 30));
  const std::vector<Peer> first = node.settle(0s);
  REQUIRE(first.size() == 6);
  const std::optional<chain::Instant> rotation = node.book.next(at(0s)).ask_again;
  REQUIRE(rotation.has_value());
  CHECK(*rotation >= at(225s));
  CHECK(*rotation <= at(375s));

  PeerBook::Plan plan = node.book.next(*rotation);
  REQUIRE(plan.dial.size() == 1);
  CHECK_FALSE(plan.dial[0].is_voter);
  CHECK(plan.hang_up.empty());
  // Nobody goes for a newcomer that does not come; somebody else is asked.
  node.book.dial_failed(plan.dial[0].node, DialFailure::kUnreachable, *rotation);
  plan = node.book.next(*rotation);
  REQUIRE(plan.dial.size() == 1);
  CHECK(plan.hang_up.empty());

  const chain::NodeId newcomer = plan.dial[0].node;
  node.book.link_up(newcomer, Origin::kDialled, *rotation + 1s);
  plan = node.book.next(*rotation + 1s);
  CHECK(plan.dial.empty());
  REQUIRE(plan.hang_up.size() == 1);
  CHECK_FALSE(is_voter(plan.hang_up[0]));
  CHECK(plan.hang_up[0] != newcomer);
  CHECK(node.book.next(*rotation + 1s).hang_up.empty());  // one is enough
  node.book.link_down(plan.hang_up[0], *rotation + 2s);
  CHECK(node.dials(rotation->since_start + 3s).empty());
}

TEST_CASE("the newest link is never the one that goes") {
  Dialler node(table_of(3, 30));
  REQUIRE(node.settle(0s).size() == 6);
  chain::Instant now = at(0s);
  for (int rotations = 0; rotations < 20; ++rotations) {
    now = node.book.next(now).ask_again.value();
    const PeerBook::Plan grow = node.book.next(now);
    REQUIRE(grow.dial.size() == 1);
    now = now + 1s;
    node.book.link_up(grow.dial[0].node, Origin::kDialled, now);
    const PeerBook::Plan shrink = node.book.next(now);
    REQUIRE(shrink.hang_up.size() == 1);
    CHECK(shrink.hang_up[0] != grow.dial[0].node);
    node.book.link_down(shrink.hang_up[0], now);
  }
}

TEST_CASE("with nobody to change for, links stay") {
  Dialler node(table_of(2, 4));
  REQUIRE(node.settle(0s).size() == 6);
  chain::Instant now = at(0s);
  for (int i = 0; i < 10; ++i) {
    const PeerBook::Plan plan = node.book.next(now);
    CHECK(plan.dial.empty());
    CHECK(plan.hang_up.empty());
    REQUIRE(plan.ask_again.has_value());
    REQUIRE(*plan.ask_again > now);
    now = *plan.ask_again;
  }
}

TEST_CASE("others stand in for voters that are away, and go when they are back") {
  Dialler node(table_of(2, 20));
  // Both voters fail; four others and then two more take their places.
  std::set<chain::NodeId> linked;
  for (int round = 0; round < 2; ++round) {
    for (const Peer& to : node.dials(0s)) {
      if (to.is_voter) {
        node.book.dial_failed(to.node, DialFailure::kUnreachable, at(0s));
      } else {
        node.book.link_up(to.node, Origin::kDialled, at(0s));
        linked.insert(to.node);
      }
    }
  }
  CHECK(linked.size() == 6);
  const std::vector<Peer> again = node.dials(1s);
  REQUIRE(again.size() == 2);
  for (const Peer& to : again) node.book.link_up(to.node, Origin::kDialled, at(1s));
  const PeerBook::Plan plan = node.book.next(at(1s));
  CHECK(plan.dial.empty());
  CHECK(plan.hang_up.size() == 2);
  for (const chain::NodeId& gone : plan.hang_up) CHECK(linked.count(gone) == 1);
}

TEST_CASE("links reach for sites that have few of them") {
  PeerTable table = table_of(2, 20);
  table.peers[0].site = table.peers[1].site = "north";
  for (std::size_t i = 2; i < 22; ++i) table.peers[i].site = "north";
  table.peers[9].site = "south";
  table.peers[10].site = "east";
  table.peers[11].site = "west";
  const std::vector<Peer> dialled = Dialler(table).dials(0s);
  std::set<std::string> sites;
  for (const Peer& to : dialled) sites.insert(to.site);
  CHECK(dialled.size() == 6);
  CHECK(sites == std::set<std::string>{"north", "south", "east", "west"});
}

TEST_CASE("room for those who dial us: voters always, others up to a limit") {
  for (const bool self_is_voter : {false, true}) {
    CAPTURE(self_is_voter);
    const int limit = self_is_voter ? 128 : 32;
    // In no table: those allowed besides it count as nodes that do not vote.
    const auto guest = [](int i) {
      return *chain::NodeId::from(std::string(15, 'g') + static_cast<char>(i));
    };
    Dialler node(table_of(7, 0, self_is_voter));
    for (int i = 0; i < limit; ++i) {
      const chain::NodeId id = guest(i);
      REQUIRE(node.book.has_room_for(id));
      node.book.link_up(id, Origin::kAccepted, at(0s));
    }
    CHECK_FALSE(node.book.has_room_for(node_id(101)));
    CHECK(node.book.has_room_for(node_id(3)));
    CHECK(node.book.has_room_for(guest(5)));  // in its own older link's place
    node.book.link_up(node_id(3), Origin::kAccepted, at(0s));
    node.book.link_down(guest(5), at(1s));
    CHECK(node.book.has_room_for(node_id(101)));
  }
}

TEST_CASE("the table changes: who left is not dialled, who came is, and a new address is tried") {
  Dialler node(table_of(2, 0));
  for (const Peer& to : node.dials(0s))
    node.book.dial_failed(to.node, DialFailure::kUnreachable, at(0s));
  PeerTable table{{peer(2, true), peer(3, true)}, false};
  table.peers[0].port = 7001;
  node.book.set_table(table);
  const std::vector<Peer> dialled = node.dials(0s);
  CHECK(dialled.size() == 2);
  for (const Peer& to : dialled) CHECK(std::count(table.peers.begin(), table.peers.end(), to) == 1);
  // The end of a dial to somebody who left meanwhile is no news.
  node.book.set_table(PeerTable{{peer(3, true)}, false});
  CHECK(node.book.dial_failed(node_id(2), DialFailure::kUnreachable, at(0s)) == 1);
  CHECK(node.book.dial_failed(node_id(2), DialFailure::kUnreachable, at(0s)) == 0);
  CHECK(node.dials(60s).empty());
}

TEST_CASE("a node that becomes a voter links with all of them and keeps what it has") {
  Dialler node(table_of(7, 20));
  REQUIRE(node.settle(0s).size() == 6);
  node.book.set_table(table_of(7, 20, true));
  const std::vector<Peer> dialled = node.settle(1s);
  CHECK(dialled.size() == 5);
  CHECK(voters_in(dialled) == 5);
}

TEST_CASE("who opens links one after the other is refused, until some time has passed") {
  for (const int number : {1, 101}) {  // a voter, and one that is none
    Dialler node(table_of(3, 3));
    const chain::NodeId peer = node_id(number);
    int opened = 0;
    while (opened < 1000 && !node.book.opens_too_often(peer, at(10s))) {
      node.book.link_up(peer, Origin::kAccepted, at(10s));
      node.book.link_down(peer, at(10s));
      ++opened;
    }
    CHECK(opened == 16);
    CHECK_FALSE(node.book.opens_too_often(node_id(2), at(10s)));
    CHECK_FALSE(node.book.opens_too_often(peer, at(11s)));
    node.book.link_up(peer, Origin::kAccepted, at(11s));
    CHECK(node.book.opens_too_often(peer, at(11s)));
    CHECK_FALSE(node.book.opens_too_often(peer, at(60s)));
  }
}

TEST_CASE("a peer whose links break at once is never refused for dialling as it should") {
  Dialler node(table_of(0, 0));
  Dialler voter(table_of(1, 0, true));  // dials node 1 as a voter does: the most often of all
  const chain::NodeId peer = node_id(98);
  for (auto time = 0ms; time < 10min; time += 1ms) {
    if (voter.dials(time).empty()) continue;
    CHECK_FALSE(node.book.opens_too_often(peer, at(time)));
    node.book.link_up(peer, Origin::kAccepted, at(time));
    node.book.link_down(peer, at(time));
    voter.book.link_up(node_id(1), Origin::kDialled, at(time));
    voter.book.link_down(node_id(1), at(time));
  }
}
