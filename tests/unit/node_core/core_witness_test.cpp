#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "node/members.h"
#include "tests/unit/node_core/trio_fixture.h"
#include "tests/unit/node_core/voter_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

namespace {

net::Seen seen(std::uint64_t term, std::uint64_t index, std::size_t place = 0) {
  return {voter_store(place), consensus::Term{term}, consensus::LogIndex{index}};
}

net::RaftSaid heartbeat(std::size_t from, std::uint64_t term) {
  consensus::AppendEntries message;
  message.term = consensus::Term{term};
  message.prev_index = consensus::LogIndex{1};
  message.prev_term = consensus::Term{1};
  return {{server_of(voter_id(from)), server_of(voter_id(0)), message}};
}

template <class Kind>
std::vector<Kind> all_of(const std::vector<Effect>& effects) {
  std::vector<Kind> found;
  for (const auto& effect : effects)
    if (const auto* one = std::get_if<Kind>(&effect)) found.push_back(*one);
  return found;
}

bool has_error(const std::vector<Effect>& effects, const std::string& part) {
  const auto notices = all_of<Notice>(effects);
  return std::any_of(notices.begin(), notices.end(), [&part](const Notice& notice) {
    return notice.level == Notice::Level::kError && notice.text.find(part) != std::string::npos;
  });
}

void link_again(Voter& voter, std::size_t peer, const chain::StoreId& store) {
  voter.core->handle(voter.now, PeerDown{voter_id(peer)});
  voter.core->handle(voter.now, PeerUp{voter_id(peer), store});
}

}  // namespace

TEST_CASE("a node that has been in a higher term stops, and says nothing more") {
  Voter voter;
  const auto term = voter.core->replica().term().value;
  voter.said(1, net::BlocksRequest{chain::Height{1}, 1});  // would be answered
  voter.said(1, seen(term + 1, 0));
  const auto effects = voter.end_turn();
  REQUIRE(effects.size() == 1);
  REQUIRE(std::holds_alternative<RolledBack>(effects[0]));
  const std::string reason = std::get<RolledBack>(effects[0]).reason;
  CHECK(reason.find("put back to an earlier state") != std::string::npos);
  CHECK(reason.find("n1") != std::string::npos);

  voter.now.steady = voter.now.steady + 1h;
  voter.core->handle(voter.now, Woke{});
  voter.said(2, heartbeat(2, term + 5));
  CHECK(voter.core->step(voter.now).ahead.empty());
  CHECK(all_of<Send>(voter.end_turn()).empty());
  CHECK(voter.core->replica().term().value == term);
}

TEST_CASE("a node whose log reached further in its term stops") {
  Voter voter;
  const auto term = voter.core->replica().term().value;
  const auto last = voter.core->replica().last_index().value;
  voter.said(1, seen(term, last));
  CHECK(all_of<RolledBack>(voter.end_turn()).empty());
  voter.said(1, seen(term, last + 1, 1));  // of another disk: not of this node
  CHECK(all_of<RolledBack>(voter.end_turn()).empty());
  voter.said(1, seen(term, last + 1));
  CHECK(all_of<RolledBack>(voter.end_turn()).size() == 1);
}

TEST_CASE("a peer with another disk than the member list names is not linked") {
  Voter voter;
  link_again(voter, 1, voter_store(9));
  auto effects = voter.end_turn();
  CHECK(has_error(effects, "another disk"));
  CHECK(all_of<HangUp>(effects).size() == 1);
  CHECK_FALSE(voter.core->status().peers[0].linked);
  voter.said(1, heartbeat(1, 7));  // before the link is down
  CHECK(voter.core->replica().term().value < 7);
  CHECK(voter.end_turn().empty());

  link_again(voter, 1, voter_store(1));
  CHECK_FALSE(has_error(voter.end_turn(), "another disk"));
  CHECK(voter.core->status().peers[0].linked);
}

TEST_CASE("a peer that speaks in a lower term on a new link is hung up on and not heard") {
  Voter voter;
  voter.said(1, heartbeat(1, 7));
  CHECK(voter.core->replica().term().value == 7);
  voter.said(1, heartbeat(1, 6));  // late
  CHECK(voter.hung_up().empty());

  link_again(voter, 1, voter_store(1));
  const auto told = all_of<Send>(voter.end_turn());
  REQUIRE_FALSE(told.empty());
  CHECK(std::get<net::Seen>(told.front().message) == seen(7, 1, 1));
  voter.said(1, heartbeat(1, 6));
  const auto effects = voter.end_turn();
  CHECK(has_error(effects, "earlier state"));
  CHECK(all_of<HangUp>(effects).size() == 1);
  voter.said(1, heartbeat(1, 8));
  CHECK(voter.core->replica().term().value == 7);
  CHECK(voter.hung_up().empty());  // told once

  link_again(voter, 1, voter_store(1));
  voter.said(1, heartbeat(1, 8));
  CHECK(voter.core->replica().term().value == 8);
}

TEST_CASE("a node that comes back as it was is told nothing that stops it") {
  Trio trio;
  const std::size_t leader = trio.elect();
  trio.run(1s);
  for (std::size_t node = 0; node < 3; ++node)
    for (std::size_t peer = 0; peer < 3; ++peer) {
      if (node == peer) continue;
      trio.handle(node, PeerDown{voter_id(peer)});
      trio.handle(node, PeerUp{voter_id(peer), voter_store(peer)});
    }
  const auto told = std::count_if(trio.mail.begin(), trio.mail.end(), [](const auto& letter) {
    return std::holds_alternative<net::Seen>(letter.message);
  });
  CHECK(told >= 4);  // the leader both others, each of them the leader
  trio.run(1s);
  CHECK(trio.cores[leader]->replica().is_ready());
}
