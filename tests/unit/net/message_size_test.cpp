#include "net/message_size.h"

#include <doctest/doctest.h>
#include <malloc.h>

#include <cstdlib>
#include <new>
#include <string>
#include <utility>

#include "net/codec.h"
#include "net/limits.h"
#include "tests/unit/net/random_messages.h"

// What this thread has taken of the heap and not given back, since a test began to look.
namespace {
thread_local bool is_tallied = false;
thread_local std::ptrdiff_t tallied = 0;

[[gnu::noinline]] void* take(std::size_t octets) noexcept {
  void* block = std::malloc(octets == 0 ? 1 : octets);
  if (is_tallied && block != nullptr)
    tallied += static_cast<std::ptrdiff_t>(malloc_usable_size(block));
  return block;
}
void* take_or_throw(std::size_t octets) {
  if (void* block = take(octets)) return block;
  throw std::bad_alloc();
}
[[gnu::noinline]] void give_back(void* block) noexcept {
  if (is_tallied && block != nullptr)
    tallied -= static_cast<std::ptrdiff_t>(malloc_usable_size(block));
  std::free(block);
}
}  // namespace

// All of them: a sanitizer's own would not belong to the others.
void* operator new(std::size_t octets) {
  return take_or_throw(octets);
}
void* operator new[](std::size_t octets) {
  return take_or_throw(octets);
}
void* operator new(std::size_t octets, const std::nothrow_t&) noexcept {
  return take(octets);
}
void* operator new[](std::size_t octets, const std::nothrow_t&) noexcept {
  return take(octets);
}
void operator delete(void* block) noexcept {
  give_back(block);
}
void operator delete[](void* block) noexcept {
  give_back(block);
}
void operator delete(void* block, std::size_t) noexcept {
  give_back(block);
}
void operator delete[](void* block, std::size_t) noexcept {
  give_back(block);
}
void operator delete(void* block, const std::nothrow_t&) noexcept {
  give_back(block);
}
void operator delete[](void* block, const std::nothrow_t&) noexcept {
  give_back(block);
}

using namespace eventchain;
using namespace eventchain::net;
using net::testing::RandomMessages;

namespace {

struct Arrived {
  std::size_t held = 0;     // octets that it takes in truth
  std::size_t counted = 0;  // as the bounds see it
};

// As a link hands it up: decoded from a frame.
Arrived arrive(const Message& sent) {
  const chain::Bytes frame = encode(sent);
  REQUIRE(decode(frame).has_value());  // what Protobuf makes once is made
  tallied = 0;
  is_tallied = true;
  chain::Result<Message> received = decode(frame);
  is_tallied = false;
  const std::ptrdiff_t owned = tallied;
  REQUIRE(received.has_value());
  REQUIRE(owned >= 0);
  return {sizeof(Message) + static_cast<std::size_t>(owned), held_bytes(*received)};
}

std::vector<chain::AnnexItem> annex_of(RandomMessages& random, std::size_t count) {
  std::vector<chain::AnnexItem> annex;
  for (std::size_t i = 0; i < count; ++i) {
    chain::Admit admit{random.id<chain::JoinToken>(), {}};
    admit.member.node = random.id<chain::NodeId>();
    admit.member.name = std::string(1 + random.below(32), 'n');
    admit.member.site = std::string(1 + random.below(32), 's');
    admit.member.peers_address = std::string(20 + random.below(100), 'p');
    annex.push_back(chain::MemberOrder{std::string(random.below(65), 'b'), std::move(admit)});
  }
  return annex;
}

}  // namespace

TEST_CASE("a message is never counted for less memory than it takes") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    RandomMessages random(seed);
    for (std::size_t kind = 0; kind < kMessageKinds; ++kind) {
      const Message sent = random.of_kind(kind);
      const Arrived arrived = arrive(sent);
      INFO("seed ", seed, " kind ", std::string(name_of(sent)));
      CHECK(arrived.counted >= arrived.held);
      // And not for so much more that a bound would mean something else.
      CHECK(arrived.counted <= 2 * arrived.held + 1024);
    }
  }
}

TEST_CASE("short names, annexes and large bodies are counted") {
  RandomMessages random(5);
  std::vector<chain::ShortId> ids(limits::kShortIdsCountMax);
  for (auto& id : ids) id = random.id<chain::ShortId>();
  auto push = std::get<TemplatePush>(random.of_kind(6));
  push.made.content.annex = annex_of(random, 4000);
  Message blocks = random.of_kind(11);
  while (std::get<BlocksReply>(blocks).blocks.empty()) blocks = random.of_kind(11);
  for (auto& block : std::get<BlocksReply>(blocks).blocks)
    block.content.annex = annex_of(random, 1000);
  Message headers = random.of_kind(25);
  while (std::get<HeadersReply>(headers).blocks.empty()) headers = random.of_kind(25);
  for (auto& block : std::get<HeadersReply>(headers).blocks) block.annex = annex_of(random, 1000);
  const Events events{0, {{random.id<chain::Salt>(), std::string(1024 * 1024, 'x')}}};

  for (const Message& sent : {Message{EventsAnnounce{{}, ids}}, Message{EventsRequest{{}, ids}},
                              Message{push}, blocks, headers, Message{events}}) {
    const Arrived arrived = arrive(sent);
    INFO("kind ", std::string(name_of(sent)));
    CHECK(arrived.held > 64 * 1024);
    CHECK(arrived.counted >= arrived.held);
  }
}
