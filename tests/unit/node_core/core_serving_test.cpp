#include <doctest/doctest.h>

#include <string>

#include "net/limits.h"
#include "node/serving.h"
#include "tests/unit/node_core/events_sent.h"
#include "tests/unit/node_core/voter_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;

namespace {

constexpr std::size_t kLargeBody = std::size_t{900} * 1024;

// A voter that holds eight large events.
struct Holder : Voter {
  Holder() {
    for (std::uint8_t i = 0; i < 8; ++i) {
      const chain::HeldEvent large = event("large" + std::to_string(i),
                                           std::string(kLargeBody, static_cast<char>('a' + i)), i);
      entries.push_back({large.facts.key, large.facts.commitment});
      said(2, net::Events{i + std::uint64_t{1}, {{large.salt, large.body}}});
    }
    end_turn();
  }

  static std::size_t bytes_to(const chain::NodeId& peer, const std::vector<Effect>& effects) {
    std::size_t bytes = 0;
    for (const Effect& effect : effects) {
      const auto* send = std::get_if<Send>(&effect);
      if (send == nullptr || send->to != std::vector{peer}) continue;
      if (const auto* events = std::get_if<net::Events>(&send->message))
        for (const net::RawEvent& one : events->events) bytes += one.body.size();
    }
    return bytes;
  }
  [[nodiscard]] std::uint64_t dropped() const { return core->status().counters.requests_dropped; }

  std::vector<chain::EntryRef> entries;
};

std::vector<chain::EntryRef> unknown(std::size_t count, std::uint64_t first = 0) {
  std::vector<chain::EntryRef> entries(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t number = first + i;
    for (std::size_t octet = 0; octet < 8; ++octet) {
      entries[i].key.octets[octet] = static_cast<std::uint8_t>(number >> (8 * octet));
      entries[i].commitment.octets[octet] = entries[i].key.octets[octet];
    }
  }
  return entries;
}

std::size_t replies(const std::vector<Effect>& effects) {
  std::size_t count = 0;
  for (const Effect& effect : effects)
    if (const auto* send = std::get_if<Send>(&effect))
      if (std::holds_alternative<net::BlocksReply>(send->message)) ++count;
  return count;
}

}  // namespace

TEST_CASE("a turn reads so much for one peer, and the others are served all the same") {
  Holder one;
  constexpr std::uint64_t kAsked = 20;
  for (std::uint64_t i = 0; i < kAsked; ++i) one.said(1, net::EventsRequest{one.entries});
  one.said(2, net::EventsRequest{one.entries});
  const auto effects = one.end_turn();
  const std::size_t first = one.bytes_to(voter_id(1), effects);
  CHECK(first <= Serving::kBytesMax);
  CHECK(first > Serving::kBytesMax - 8 * kLargeBody);
  CHECK(one.bytes_to(voter_id(2), effects) > 8 * kLargeBody);
  CHECK(one.dropped() > 0);
  CHECK(one.dropped() < kAsked);
  // Who asks again in the next turn is served again.
  const std::uint64_t before = one.dropped();
  one.said(1, net::EventsRequest{one.entries});
  CHECK(one.bytes_to(voter_id(1), one.end_turn()) > 8 * kLargeBody);
  CHECK(one.dropped() == before);
}

TEST_CASE("a body is sent once, however often a request names it") {
  Holder one;
  const chain::EntryRef entry = one.entries.front();
  one.said(1, net::EventsRequest{{entry, entry, entry}, {chain::short_id(entry.commitment)}});
  const auto sent = events_in(one.end_turn());
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].events.size() == 1);
}

TEST_CASE("a turn looks up as many bodies for one peer as the largest block has") {
  Voter one;
  constexpr std::size_t kAtOnce = net::limits::kEventsCountMax;
  static_assert(chain::kBlockEventsLimit % kAtOnce == 0);
  std::vector<chain::EntryRef> held;
  for (std::size_t i = 0; i < kAtOnce; ++i) {
    const chain::HeldEvent small = event(std::to_string(i), "x", 1);
    held.push_back({small.facts.key, small.facts.commitment});
    one.said(2, net::Events{i + 1, {{small.salt, small.body}}});
  }
  one.end_turn();
  const auto dropped = [&one] { return one.core->status().counters.requests_dropped; };
  // As a node asks that lacks all of such a block.
  for (std::size_t from = 0; from < chain::kBlockEventsLimit; from += kAtOnce)
    one.said(1, net::EventsRequest{held});
  CHECK(dropped() == 0);
  one.said(1, net::EventsRequest{held});
  CHECK(dropped() == 1);
}

TEST_CASE("a turn looks so often in vain for what one peer names, and the others are served") {
  Holder one;
  SUBCASE("it asks for it") {
    one.said(1, net::EventsRequest{unknown(Serving::kMissesMax - 1)});
    one.said(1, net::EventsRequest{one.entries});
    CHECK(one.dropped() == 0);
    CHECK_FALSE(events_in(one.end_turn()).empty());
    one.said(1, net::EventsRequest{unknown(Serving::kMissesMax)});
  }
  SUBCASE("it announces it") {
    one.said(1, net::EventsAnnounce{unknown(Serving::kMissesMax), {}});
  }
  CHECK(one.dropped() == 0);
  one.said(1, net::EventsRequest{one.entries});
  one.said(1, net::EventsAnnounce{unknown(1, 100'000), {}});
  CHECK(one.dropped() == 2);
  one.said(2, net::EventsRequest{one.entries});
  const auto effects = one.end_turn();
  CHECK(one.bytes_to(voter_id(1), effects) == 0);
  CHECK(one.bytes_to(voter_id(2), effects) > 0);
}

TEST_CASE("who has looked for enough in vain may ask for what takes no search") {
  Holder one;
  one.said(1, net::EventsAnnounce{unknown(Serving::kMissesMax), {}});
  one.said(1, net::BlocksRequest{chain::Height{1}, 64});
  CHECK(replies(one.end_turn()) == 1);
  CHECK(one.dropped() == 0);
}

TEST_CASE("announcements take no room from requests") {
  Holder one;
  for (std::size_t i = 0; i < Serving::kAnnouncementsMax + 3; ++i)
    one.said(1, net::EventsAnnounce{{}, {chain::ShortId{}}});
  CHECK(one.dropped() == 3);
  one.said(1, net::BlocksRequest{chain::Height{1}, 64});
  CHECK(replies(one.end_turn()) == 1);
}

TEST_CASE("names of eight octets count like others") {
  Holder one;
  const std::vector<chain::ShortId> ids(net::limits::kShortIdsCountMax);
  for (std::size_t named = 0; named < Serving::kLookupsMax; named += ids.size())
    one.said(1, net::EventsRequest{{}, ids});
  CHECK(one.dropped() == 0);
  one.said(1, net::EventsRequest{one.entries});
  CHECK(one.dropped() == 1);
}

TEST_CASE("a turn answers so many requests of one peer") {
  Holder one;
  for (std::size_t i = 0; i < Serving::kRequestsMax + 5; ++i)
    one.said(1, net::BlocksRequest{chain::Height{1}, 64});
  one.said(2, net::BlocksRequest{chain::Height{1}, 64});
  CHECK(replies(one.end_turn()) == Serving::kRequestsMax + 1);
  CHECK(one.dropped() == 5);
}

TEST_CASE("a peer without a link is not served") {
  Holder one;
  one.core->handle(one.now, PeerDown{voter_id(1)});
  one.end_turn();
  one.said(1, net::BlocksRequest{chain::Height{1}, 64});
  one.said(1, net::EventsRequest{one.entries});
  const auto effects = one.end_turn();
  CHECK(replies(effects) == 0);
  CHECK(events_in(effects).empty());
  one.core->handle(one.now, PeerUp{voter_id(1), voter_store(1)});
  one.said(1, net::BlocksRequest{chain::Height{1}, 64});
  CHECK(replies(one.end_turn()) == 1);
}
