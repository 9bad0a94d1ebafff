// How an event spreads among many nodes, some of which tell of everything and send nothing.

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "node/gossip.h"
#include "tests/unit/node_core/node_core_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kNodes = 40;  // behind one voter

struct Population {
  struct Node {
    Node(const chain::MembersRef& set, std::size_t place, std::uint64_t seed)
        : members(set, voter_id(place)), gossip(members, outbox, ledger.ledger, chain::Rng(seed)) {}

    LoneLedger ledger;
    Members members;
    Outbox outbox;
    Gossip gossip;
    bool is_silent = false;
    std::size_t copies_sent = 0;
    std::size_t copies_received = 0;
    std::size_t words = 0;  // ids that it told
  };
  struct Letter {
    std::size_t from;
    std::size_t to;
    net::Message message;
  };

  explicit Population(std::uint64_t seed) : rng(seed) {
    chain::MemberSet set = *members_of(easy_genesis(1));
    for (std::size_t place = 1; place <= kNodes; ++place) {
      chain::Member member;
      member.node = voter_id(place);
      member.role = chain::MemberRole::kObserver;
      member.slot = chain::Slot{static_cast<std::uint16_t>(place)};
      member.name = "n" + std::to_string(place);
      set.members.push_back(member);
    }
    const auto shared = std::make_shared<const chain::MemberSet>(set);
    for (std::size_t place = 0; place <= kNodes; ++place)
      nodes.push_back(std::make_unique<Node>(shared, place, seed + place));
    // A ring, so that it holds together whoever is silent, and four more links of each.
    for (std::size_t place = 1; place <= kNodes; ++place) {
      link(place, place % kNodes + 1);
      for (int i = 0; i < 4; ++i) link(place, 1 + rng.below(kNodes));
      if (place % 4 == 0) link(0, place);
      // Never two beside each other on the ring, nor one that the voter is linked to.
      if (place % 8 == 2) nodes[place]->is_silent = true;
    }
  }

  void link(std::size_t a, std::size_t b) {
    if (a == b) return;
    nodes[a]->members.link_up(voter_id(b));
    nodes[b]->members.link_up(voter_id(a));
  }
  void send(std::size_t from, std::size_t to, net::Message message) {
    const auto way = std::chrono::milliseconds(rng.between(1, 10));
    mail.emplace(now + way, Letter{from, to, std::move(message)});
  }
  void step(std::size_t at) {
    Node& node = *nodes[at];
    node.gossip.follow_up(now, 1000);
    for (const auto& effect : node.outbox.take().when_durable) {
      const auto& sent = std::get<Send>(effect);
      for (const auto& to : sent.to) {
        if (const auto* word = std::get_if<net::EventsAnnounce>(&sent.message))
          node.words += word->ids.size();
        send(at, place_of(to), sent.message);
      }
    }
  }
  void receive(const Letter& letter) {
    Node& node = *nodes[letter.to];
    if (const auto* word = std::get_if<net::EventsAnnounce>(&letter.message))
      node.gossip.told(word->ids, voter_id(letter.from));
    if (const auto* request = std::get_if<net::EventsRequest>(&letter.message)) {
      if (node.is_silent) return;
      net::Events answer;
      for (const auto& id : request->ids) {
        const chain::PendingEvent* pending = node.ledger.ledger.pool().find(id);
        REQUIRE(pending != nullptr);
        const auto held = node.ledger.ledger.load({pending->facts.key, pending->facts.commitment});
        answer.events.push_back({held->salt, held->body});
        ++node.copies_sent;
      }
      send(letter.to, letter.from, std::move(answer));
    }
    if (const auto* answer = std::get_if<net::Events>(&letter.message)) {
      for (const auto& raw : answer->events) {
        const auto held = chain::hold_event(raw.salt, raw.body, chain::EventLimits{});
        ++node.copies_received;
        auto knowing = node.gossip.arrived(held->facts.commitment, now);
        REQUIRE(knowing.has_value());
        CHECK(node.ledger.hold(*held, Origin::kSpread).state == Holding::State::kNew);
        node.gossip.spread(held->facts.commitment, std::move(*knowing), now);
      }
    }
    step(letter.to);
  }
  void run(std::chrono::milliseconds span) {
    for (const auto end = now + span; now < end; now = now + 1ms) {
      while (!mail.empty() && mail.begin()->first <= now) {
        const Letter letter = std::move(mail.begin()->second);
        mail.erase(mail.begin());
        receive(letter);
      }
      for (std::size_t at = 0; at < nodes.size(); ++at) {
        const auto due = nodes[at]->gossip.next_deadline();
        if (due && *due <= now) step(at);
      }
    }
  }

  chain::Rng rng;
  chain::Instant now{5s};
  std::vector<std::unique_ptr<Node>> nodes;
  std::multimap<chain::Instant, Letter> mail;
};

}  // namespace

TEST_CASE("each body comes to each node once, three from the voter, though some never send any") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    INFO("seed ", seed);
    constexpr std::size_t kEvents = 20;
    Population all(seed);
    for (std::size_t i = 0; i < kEvents; ++i) {
      const auto made = event("e" + std::to_string(i), "x", 1);
      all.nodes[0]->ledger.hold(made, Origin::kClient);
      all.nodes[0]->gossip.spread(made.facts.commitment, {}, all.now);
      all.run(10ms);
    }
    all.run(10s);
    CHECK(all.mail.empty());
    CHECK(all.nodes[0]->copies_sent <= Gossip::kToldByVoter * kEvents);
    CHECK(all.nodes[0]->copies_received == 0);
    for (std::size_t at = 1; at <= kNodes; ++at) {
      INFO("node ", at);
      const auto& node = *all.nodes[at];
      CHECK(node.copies_received == kEvents);
      CHECK(node.gossip.wanted() == 0);
      CHECK_FALSE(node.gossip.next_deadline().has_value());
      // Over each link once, or crossing.
      CHECK(node.words <= kEvents * node.members.linked_observers().size());
    }
  }
}
