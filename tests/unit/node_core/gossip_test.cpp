#include "node/gossip.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "node/fetcher.h"
#include "tests/unit/node_core/node_core_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

namespace {

using Ids = std::vector<chain::ShortId>;

constexpr std::size_t kVoters = 3;

// Voters, observers, and last of all a light member.
chain::MembersRef mixed_members(std::size_t observers) {
  chain::MemberSet set = *members_of(easy_genesis(kVoters));
  for (std::size_t place = kVoters; place <= kVoters + observers; ++place) {
    chain::Member member;
    member.node = voter_id(place);
    member.role =
        place < kVoters + observers ? chain::MemberRole::kObserver : chain::MemberRole::kLight;
    member.slot = chain::Slot{static_cast<std::uint16_t>(place)};
    member.name = "n" + std::to_string(place);
    set.members.push_back(member);
  }
  return std::make_shared<const chain::MemberSet>(set);
}

// A number as the commitment of an event that nobody holds.
chain::Commitment made_up(std::uint32_t number) {
  chain::Commitment commitment;
  commitment.octets[0] = 0xff;
  for (std::size_t octet = 0; octet < 4; ++octet)
    commitment.octets[1 + octet] = static_cast<std::uint8_t>(number >> (8 * octet));
  return commitment;
}

Ids made_up_ids(std::uint32_t from, std::uint32_t count) {
  Ids ids;
  for (std::uint32_t i = 0; i < count; ++i) ids.push_back(chain::short_id(made_up(from + i)));
  return ids;
}

// What one node said since it was asked last, by peer.
struct Said {
  std::map<std::size_t, Ids> told;
  std::map<std::size_t, Ids> asked;
  std::map<std::size_t, std::vector<chain::EntryRef>> asked_in_full;
};

// One node among them, linked to all others unless a test says otherwise.
struct Talker {
  explicit Talker(std::size_t self, std::size_t observers = 8)
      : members(mixed_members(observers), voter_id(self)) {
    for (std::size_t peer = 0; peer <= kVoters + observers; ++peer)
      if (peer != self) members.link_up(voter_id(peer));
  }

  chain::HeldEvent hold(const std::string& id, Origin origin = Origin::kClient) {
    auto held = event(id, "x", 1);
    ledger.hold(held, origin);
    return held;
  }
  void spread(const std::string& id, const Gossip::Knowing& knowing = {}) {
    gossip.spread(hold(id).facts.commitment, knowing, now);
  }
  Said step(std::chrono::milliseconds later, std::size_t room = 1000) {
    now = now + later;
    gossip.follow_up(now, room);
    Said said;
    auto effects = outbox.take();
    CHECK(effects.ahead.empty());
    for (const auto& effect : effects.when_durable) {
      const auto& send = std::get<Send>(effect);
      for (const auto& to : send.to) {
        if (const auto* told = std::get_if<net::EventsAnnounce>(&send.message))
          said.told[place_of(to)] = told->ids;
        const auto* asked = std::get_if<net::EventsRequest>(&send.message);
        if (asked != nullptr && !asked->ids.empty()) said.asked[place_of(to)] = asked->ids;
        if (asked != nullptr && !asked->entries.empty())
          said.asked_in_full[place_of(to)] = asked->entries;
      }
    }
    return said;
  }

  LoneLedger ledger{kVoters};
  Members members;
  Outbox outbox;
  Gossip gossip{members, outbox, ledger.ledger, chain::Rng(1)};
  chain::Instant now{5s};
};

}  // namespace

TEST_CASE(
    "a voter tells three of its observers of each batch, drawn, and neither voter nor light") {
  Talker voter(0);
  std::set<std::size_t> ever;
  for (int batch = 0; batch < 40; ++batch) {
    voter.spread("a" + std::to_string(batch));
    voter.spread("b" + std::to_string(batch));
    CHECK(voter.step(24ms).told.empty());
    const auto told = voter.step(1ms).told;
    CHECK(told.size() == Gossip::kToldByVoter);
    for (const auto& [peer, ids] : told) {
      CHECK(ids.size() == 2);
      CHECK(peer >= kVoters);
      CHECK(peer < kVoters + 8);
      ever.insert(peer);
    }
  }
  CHECK(ever.size() == 8);
}

TEST_CASE("among voters alone nothing is sent and nothing waited for") {
  Talker voter(0, 0);
  voter.spread("a");
  CHECK_FALSE(voter.gossip.next_deadline().has_value());
  CHECK(voter.step(1s).told.empty());
}

TEST_CASE("a node without a vote tells all such peers but those who told it") {
  Talker node(3);
  const auto first = node.hold("a");
  node.gossip.spread(first.facts.commitment, {voter_id(4)}, node.now);
  node.step(10ms);
  node.gossip.told({chain::short_id(first.facts.commitment)}, voter_id(5));
  const auto told = node.step(15ms).told;
  std::set<std::size_t> peers;
  for (const auto& [peer, ids] : told) peers.insert(peer);
  CHECK(peers == std::set<std::size_t>{6, 7, 8, 9, 10});
  CHECK(node.step(10s).told.empty());
}

TEST_CASE("many events go at once, and what was placed meanwhile needs no word") {
  Talker node(3);
  for (std::size_t i = 0; i < Gossip::kGatheredMax; ++i) node.spread("a" + std::to_string(i));
  CHECK(node.step(0ms).told.at(4).size() == Gossip::kGatheredMax);
  node.spread("late");
  node.ledger.commit();
  CHECK(node.step(1s).told.empty());
}

TEST_CASE("an event is asked of one who told, then of the next, and of each once") {
  Talker node(3);
  const Ids one = made_up_ids(0, 1);
  for (const std::size_t peer : {4U, 5U, 6U}) node.gossip.told(one, voter_id(peer));
  for (const std::size_t peer : {4U, 5U, 6U}) {
    CHECK(node.step(0ms).asked == std::map<std::size_t, Ids>{{peer, one}});
    CHECK(node.gossip.next_deadline() == node.now + Gossip::kAnswerWithin);
    CHECK(node.step(299ms).asked.empty());
    node.step(0ms);
    node.now = node.now + 1ms;
  }
  CHECK(node.step(0ms).asked.empty());
  CHECK(node.gossip.wanted() == 0);
  CHECK_FALSE(node.gossip.next_deadline().has_value());
  // Told of again, it is asked for again.
  node.gossip.told(one, voter_id(4));
  CHECK(node.step(0ms).asked.at(4) == one);
}

TEST_CASE("who tells and never sends keeps nothing from coming from others") {
  Talker node(3);
  const Ids many = made_up_ids(0, 1000);
  node.gossip.told(many, voter_id(4));
  node.gossip.told(many, voter_id(5));
  // Both are asked at once, each for others.
  auto asked = node.step(0ms).asked;
  REQUIRE(asked.size() == 2);
  std::set<chain::ShortId> had;
  std::size_t in_vain = asked.at(4).size();
  for (int round = 0; round < 20; ++round) {
    for (std::uint32_t i = 0; i < 1000; ++i) {
      const auto id = chain::short_id(made_up(i));
      if (std::ranges::count(asked[5], id) == 0) continue;
      CHECK(node.gossip.arrived(made_up(i), node.now).has_value());
      CHECK(had.insert(id).second);
    }
    asked = node.step(round % 2 == 0 ? 1ms : 300ms).asked;
    in_vain += asked[4].size();
  }
  CHECK(had.size() == 1000);
  CHECK(in_vain <= 1000);
}

TEST_CASE("a peer has one request at a time, and the next as soon as that one is answered") {
  Talker node(3);
  node.gossip.told(made_up_ids(0, 300), voter_id(4));
  CHECK(node.step(0ms).asked.at(4).size() == Gossip::kAskedMax);
  for (std::uint32_t i = 0; i + 1 < Gossip::kAskedMax; ++i)
    CHECK(node.gossip.arrived(made_up(i), node.now).has_value());
  CHECK(node.step(200ms).asked.empty());
  // A long answer is waited for while it goes on.
  CHECK(node.step(99ms).asked.empty());
  CHECK(node.gossip.arrived(made_up(Gossip::kAskedMax - 1), node.now).has_value());
  CHECK(node.step(0ms).asked.at(4) == made_up_ids(Gossip::kAskedMax, 44));
  CHECK_FALSE(node.gossip.arrived(made_up(0), node.now).has_value());
}

TEST_CASE("nothing is asked for that has no room, and nothing of it is kept") {
  Talker node(3);
  node.gossip.told(made_up_ids(0, 10), voter_id(4));
  CHECK(node.step(0ms, 0).asked.empty());
  CHECK(node.gossip.wanted() == 0);
  node.gossip.told(made_up_ids(0, 10), voter_id(4));
  node.gossip.told(made_up_ids(10, 10), voter_id(5));
  const auto asked = node.step(0ms, 12).asked;
  CHECK(asked.at(4).size() == 10);
  CHECK(asked.at(5).size() == 2);
  CHECK(node.step(1ms, 0).asked.empty());
  CHECK(node.gossip.wanted() == 12);
}

TEST_CASE("a flood of words is kept to a bound of each peer and of all") {
  Talker node(3, 20);
  node.gossip.told(made_up_ids(0, 8000), voter_id(4));
  CHECK(node.gossip.wanted() == Gossip::kQueueMax);
  for (std::uint32_t peer = 5; peer < 20; ++peer)
    node.gossip.told(made_up_ids(peer * 8000, 8000), voter_id(peer));
  CHECK(node.gossip.wanted() == Gossip::kWantedMax);
  for (std::uint32_t peer = 4; peer < 20; ++peer) node.gossip.peer_down(voter_id(peer));
  CHECK(node.gossip.wanted() == 0);
  CHECK_FALSE(node.gossip.next_deadline().has_value());
}

TEST_CASE("what was asked of a peer that is lost, or waits for it, is asked of another") {
  Talker node(3);
  node.gossip.told(made_up_ids(0, 300), voter_id(4));
  node.step(0ms);
  for (const std::size_t peer : {5U, 6U}) node.gossip.told(made_up_ids(0, 300), voter_id(peer));
  CHECK(node.step(0ms).asked.at(5).size() == 300 - Gossip::kAskedMax);
  node.gossip.peer_down(voter_id(4));
  node.gossip.peer_down(voter_id(5));
  CHECK(node.step(0ms).asked.at(6).size() == Gossip::kAskedMax);
  for (std::uint32_t i = 0; i < 300; ++i) node.gossip.arrived(made_up(i), node.now);
  node.step(0ms);
  for (std::uint32_t i = 0; i < 300; ++i) node.gossip.arrived(made_up(i), node.now);
  CHECK(node.gossip.wanted() == 0);
}

TEST_CASE("what came and was of no use is not asked for again, nor what is held") {
  Talker node(3);
  const Ids one = made_up_ids(0, 1);
  node.gossip.told(one, voter_id(4));
  node.step(0ms);
  CHECK(node.gossip.arrived(made_up(0), node.now) == Gossip::Knowing{voter_id(4)});
  node.gossip.pass_over(made_up(0));
  node.gossip.told(one, voter_id(5));
  node.gossip.told({chain::short_id(node.hold("a").facts.commitment)}, voter_id(5));
  CHECK(node.step(0ms).asked.empty());
  // But not for ever.
  for (std::uint32_t i = 1; i <= 2 * Gossip::kPassedMax; ++i) node.gossip.pass_over(made_up(i));
  node.gossip.told(one, voter_id(5));
  CHECK(node.step(0ms).asked.size() == 1);
}

TEST_CASE("what a block needs and is under way is not asked for a second time before its time") {
  Talker node(3);
  Fetcher fetcher(node.members, node.outbox, node.gossip, chain::Rng(2));
  chain::EntryRef on_its_way{{}, made_up(0)};
  chain::EntryRef waiting{{}, made_up(Gossip::kAskedMax)};
  node.gossip.told(made_up_ids(0, Gossip::kAskedMax + 1), voter_id(4));
  CHECK(node.step(0ms).asked.size() == 1);
  fetcher.want_events({on_its_way, waiting}, voter_id(0), {node.now, {}});
  CHECK(node.step(0ms).asked_in_full ==
        std::map<std::size_t, std::vector<chain::EntryRef>>{{0, {waiting}}});
  CHECK(fetcher.wants(chain::short_id(on_its_way.commitment)));
  CHECK_FALSE(fetcher.wants(chain::short_id(made_up(1))));
  // It is the fetcher's now: from anybody else, and not given up.
  const auto is_settled = [](const chain::EntryRef&) { return false; };
  fetcher.retry({node.now + 299ms, {}}, is_settled);
  CHECK(node.step(0ms).asked_in_full.empty());
  fetcher.retry({node.now + 300ms, {}}, is_settled);
  std::size_t asked = 0;
  for (const auto& [peer, entries] : node.step(0ms).asked_in_full)
    asked += static_cast<std::size_t>(std::ranges::count(entries, on_its_way));
  CHECK(asked == 1);
  CHECK(fetcher.got_event(on_its_way));
  CHECK_FALSE(node.gossip.arrived(on_its_way.commitment, node.now).has_value());
}
