#include "node/neighbours.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace eventchain;
using namespace eventchain::node;

namespace {

constexpr chain::Height kTip{9};

chain::NodeId node_id(char c) {
  return *chain::NodeId::from(std::string(16, c));
}

chain::Member member(char name, chain::MemberRole role, const std::string& address) {
  chain::Member made;
  made.node = node_id(name);
  made.role = role;
  made.site = "site-" + std::string(1, name);
  made.peers_address = address;
  return made;
}

const net::Peer* find(const net::PeerTable& table, char name) {
  const auto found = std::find_if(table.peers.begin(), table.peers.end(),
                                  [name](const auto& peer) { return peer.node == node_id(name); });
  return found == table.peers.end() ? nullptr : &*found;
}

constexpr auto kVoter = chain::MemberRole::kVoter;
constexpr auto kObserver = chain::MemberRole::kObserver;

}  // namespace

TEST_CASE("members are reached where they say, unless the configuration knows better") {
  Neighbours neighbours(node_id('a'), {{node_id('c'), {"10.0.0.3", 9}}});
  chain::MemberSet set;
  set.members = {member('a', kVoter, "a:1"), member('b', kVoter, "[::1]:2"),
                 member('c', kObserver, "c:3"), member('d', kVoter, "")};
  set.members[1].valid_from = {5};
  set.members[1].valid_until = {9};
  const net::PeerTable table = neighbours.table(set, kTip);
  CHECK(table.self_is_voter);
  REQUIRE(table.peers.size() == 3);
  net::Peer b{node_id('b'), "::1", 2, true, "site-b"};
  b.valid_from = {5};
  b.valid_until = {9};
  CHECK(*find(table, 'b') == b);
  CHECK(*find(table, 'c') == net::Peer{node_id('c'), "10.0.0.3", 9, false, "site-c"});
  CHECK(*find(table, 'd') == net::Peer{node_id('d'), "", 0, true, "site-d"});
}

TEST_CASE("a seed is linked before it is a member, and no more once it was removed") {
  Neighbours neighbours(node_id('a'), {{node_id('s'), {"seed", 9}}});
  chain::MemberSet set;
  set.members = {member('a', kVoter, "")};
  CHECK(*find(neighbours.table(set, kTip), 's') == net::Peer{node_id('s'), "seed", 9, false, ""});
  set.members.push_back(member('s', kVoter, "s:1"));
  CHECK(*find(neighbours.table(set, kTip), 's') ==
        net::Peer{node_id('s'), "seed", 9, true, "site-s"});
  set.members.pop_back();
  CHECK(neighbours.table(set, kTip).peers.empty());
}

TEST_CASE("a node that is no member keeps its seeds, whatever an old member set says") {
  Neighbours neighbours(node_id('x'), {{node_id('s'), {"seed", 9}}});
  chain::MemberSet set;
  set.members = {member('a', kVoter, "a:1"), member('s', kVoter, "s:1")};
  CHECK_FALSE(neighbours.table(set, kTip).self_is_voter);
  set.members.pop_back();
  CHECK(find(neighbours.table(set, kTip), 's') != nullptr);
  CHECK(find(neighbours.table(set, kTip), 'a') != nullptr);
}

TEST_CASE("light members dial the others, and are dialled by nobody and never by each other") {
  constexpr auto kLight = chain::MemberRole::kLight;
  chain::MemberSet set;
  set.members = {member('a', kVoter, "a:1"), member('l', kLight, "l:2"),
                 member('m', kLight, "m:3")};
  const net::PeerTable full = Neighbours(node_id('a'), {}).table(set, kTip);
  REQUIRE(full.peers.size() == 2);
  CHECK(*find(full, 'l') == net::Peer{node_id('l'), "", 0, false, "site-l"});
  const net::PeerTable light = Neighbours(node_id('l'), {}, true).table(set, kTip);
  REQUIRE(light.peers.size() == 1);
  CHECK(*find(light, 'a') == net::Peer{node_id('a'), "a", 1, true, "site-a"});
  // Also while it is not in the set that it knows.
  set.members.erase(set.members.begin() + 1);
  CHECK(find(Neighbours(node_id('l'), {}, true).table(set, kTip), 'm') == nullptr);
}
