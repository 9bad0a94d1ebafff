#include "net/codec.h"

#include <doctest/doctest.h>

#include <string>

#include "net/limits.h"
#include "tests/unit/net/random_messages.h"

using namespace eventchain;
using namespace eventchain::net;
using net::testing::RandomMessages;

TEST_CASE("every message survives the way over the wire") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    RandomMessages random(seed);
    for (std::size_t kind = 0; kind < kMessageKinds; ++kind) {
      const Message sent = random.of_kind(kind);
      INFO("seed ", seed, " kind ", std::string(name_of(sent)));
      REQUIRE(sent.index() == kind);
      const chain::Result<Message> received = decode(encode(sent));
      REQUIRE_MESSAGE(received.has_value(), received.error().message);
      CHECK(*received == sent);
    }
  }
}

TEST_CASE("a message that was cut off is refused or is another message, never a crash") {
  RandomMessages random(7);
  for (std::size_t kind = 0; kind < kMessageKinds; ++kind) {
    const Message sent = random.of_kind(kind);
    const chain::Bytes bytes = encode(sent);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const chain::Result<Message> received = decode(chain::ByteView(bytes).substr(0, size));
      INFO("kind ", std::string(name_of(sent)), " cut at ", size, " of ", bytes.size());
      // The outermost length covers the whole message, so nothing shorter can be taken for one.
      CHECK_FALSE(received.has_value());
    }
  }
}

TEST_CASE("what comes out of mangled octets has a stable encoding") {
  int decoded = 0;
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    RandomMessages random(seed);
    chain::Bytes bytes = encode(random.of_kind(seed % kMessageKinds));
    for (std::size_t hits = 1 + random.below(3); hits > 0; --hits)
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    const chain::Result<Message> first = decode(bytes);
    if (!first) continue;
    ++decoded;
    INFO("seed ", seed);
    const chain::Result<Message> second = decode(encode(*first));
    REQUIRE(second.has_value());
    CHECK(*second == *first);
  }
  CHECK(decoded > 100);  // else the loop has tested nothing
}

TEST_CASE("the greatest template and the greatest lists fit a frame") {
  RandomMessages random(3);
  TemplatePush push;
  push.made.header.share_target.bits = 0x1cffff00;
  push.made.content.entries.resize(65536);
  CHECK(encode(push).size() <= limits::kFrameBytesMax);
  CHECK(decode(encode(push)).has_value());

  EventsAnnounce announce;
  announce.entries.resize(limits::kRefsCountMax);
  announce.ids.resize(limits::kShortIdsCountMax);
  CHECK(decode(encode(announce)).has_value());

  Events events;
  events.events.assign(limits::kEventsCountMax, {random.id<chain::Salt>(), "body"});
  CHECK(decode(encode(events)).has_value());
}

TEST_CASE("urgent kinds go before bulky ones and a share never before its template") {
  CHECK(priority_of(RaftSaid{}) < priority_of(SharePush{}));
  CHECK(priority_of(SharePush{}) == priority_of(TemplatePush{}));
  CHECK(priority_of(TipSaid{}) < priority_of(BlocksReply{}));
  CHECK(priority_of(BlocksReply{}) < priority_of(Events{1, {}}));
  CHECK(priority_of(Events{0, {}}) == priority_of(EventsRequest{}));
  CHECK(priority_of(EventsRequest{}) < priority_of(Events{1, {}}));
}
