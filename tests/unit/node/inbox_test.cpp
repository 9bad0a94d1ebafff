#include "node/inbox.h"

#include <doctest/doctest.h>

#include <string>

using namespace eventchain;
using namespace eventchain::node;

namespace {

constexpr std::size_t kShare = 1000;

chain::NodeId peer(std::uint8_t number) {
  chain::NodeId id;
  id.octets[0] = number;
  return id;
}

// The number tells what one peer said apart.
PeerSaid tip(std::uint8_t from, std::uint64_t number) {
  return {peer(from), net::TipSaid{chain::Height{number}, {}}};
}
PeerSaid heartbeat(std::uint8_t from) {
  return {peer(from), net::RaftSaid{}};
}

struct Box {
  // What a turn of `max` inputs takes, without waiting.
  std::vector<Input> turn(std::size_t max = 256) {
    auto taken = inbox.take(std::chrono::steady_clock::time_point{}, max);
    REQUIRE(taken.has_value());
    std::vector<Input> inputs;
    for (auto& item : *taken) inputs.push_back(std::move(std::get<Input>(item)));
    return inputs;
  }
  // The numbers of what this peer said.
  static std::vector<std::uint64_t> tips_of(std::uint8_t from, const std::vector<Input>& inputs) {
    std::vector<std::uint64_t> numbers;
    for (const Input& input : inputs)
      if (const auto* said = std::get_if<PeerSaid>(&input); said && said->peer == peer(from))
        if (const auto* told = std::get_if<net::TipSaid>(&said->message))
          numbers.push_back(told->height.value);
    return numbers;
  }
  static bool has_heartbeat(const std::vector<Input>& inputs) {
    for (const Input& input : inputs)
      if (const auto* said = std::get_if<PeerSaid>(&input))
        if (std::holds_alternative<net::RaftSaid>(said->message)) return true;
    return false;
  }

  Inbox inbox{{4 * kShare, kShare}};
};

}  // namespace

TEST_CASE("who fills its share is hung up on, and nobody else") {
  Box box;
  for (std::uint64_t i = 0; i < 10; ++i) CHECK_FALSE(box.inbox.post_said(tip(1, i), 100));
  CHECK(box.inbox.post_said(tip(1, 10), 100) == peer(1));
  CHECK_FALSE(box.inbox.post_said(heartbeat(2), 100));
  // The rest of that link is lost with it, even if there is room again.
  CHECK_FALSE(box.inbox.post_said(tip(1, 11), 100));
  const auto inputs = box.turn();
  CHECK(inputs.size() == 11);
  CHECK(box.has_heartbeat(inputs));
  CHECK_FALSE(box.inbox.post_said(tip(1, 12), 100));
  CHECK(box.turn().empty());
  // The next link begins anew.
  box.inbox.post(Input{PeerDown{peer(1)}});
  box.inbox.post(Input{PeerUp{peer(1)}});
  CHECK_FALSE(box.inbox.post_said(tip(1, 13), 100));
  CHECK(box.turn().size() == 3);
}

TEST_CASE("what one peer has sent does not make another's heartbeat wait") {
  Box box;
  for (std::uint64_t i = 0; i < 900; ++i) REQUIRE_FALSE(box.inbox.post_said(tip(1, i), 1));
  for (std::uint64_t i = 0; i < 5; ++i) REQUIRE_FALSE(box.inbox.post_said(tip(3, i), 1));
  REQUIRE_FALSE(box.inbox.post_said(heartbeat(2), 1));
  const auto first = box.turn(8);
  CHECK(box.has_heartbeat(first));
  // In turns, each in its order.
  CHECK(box.tips_of(1, first) == std::vector<std::uint64_t>{0, 1, 2, 3});
  CHECK(box.tips_of(3, first) == std::vector<std::uint64_t>{0, 1, 2});
  const auto second = box.turn(4);
  CHECK(box.tips_of(1, second) == std::vector<std::uint64_t>{4, 5});
  CHECK(box.tips_of(3, second) == std::vector<std::uint64_t>{3, 4});
  CHECK(box.turn(1000).size() == 894);
}

TEST_CASE("what this node's own clients bring leaves peers their turn, and the reverse") {
  Box box;
  for (int i = 0; i < 100; ++i) box.inbox.post(Input{ClientReads{}});
  for (std::uint64_t i = 0; i < 100; ++i) REQUIRE_FALSE(box.inbox.post_said(tip(1, i), 1));
  const auto inputs = box.turn(10);
  CHECK(box.tips_of(1, inputs).size() == 5);
  CHECK(inputs.size() == 10);
}

TEST_CASE("a message larger than the share is taken where nothing else waits") {
  Box box;
  CHECK_FALSE(box.inbox.post_said(tip(1, 1), 2 * kShare));
  CHECK(box.inbox.post_said(tip(1, 2), 1) == peer(1));
  CHECK(box.turn().size() == 1);
}

TEST_CASE("where all peers together have sent too much, who has the most waiting gives way") {
  Box box;
  REQUIRE_FALSE(box.inbox.post_said(tip(1, 1), 900));
  REQUIRE_FALSE(box.inbox.post_said(tip(2, 1), 999));
  REQUIRE_FALSE(box.inbox.post_said(tip(2, 2), 500));
  REQUIRE_FALSE(box.inbox.post_said(tip(3, 1), 900));
  REQUIRE_FALSE(box.inbox.post_said(tip(4, 1), 600));
  CHECK(box.inbox.post_said(heartbeat(5), 200) == peer(2));
  CHECK_FALSE(box.inbox.post_said(tip(4, 2), 200));
  const auto inputs = box.turn();
  CHECK(box.has_heartbeat(inputs));
  CHECK(box.tips_of(2, inputs).empty());
  CHECK(inputs.size() == 5);

  // Of a link that is down already nobody is left to hang up on.
  REQUIRE_FALSE(box.inbox.post_said(tip(6, 1), 3 * kShare));
  box.inbox.post(Input{PeerDown{peer(6)}});
  REQUIRE_FALSE(box.inbox.post_said(tip(1, 2), 900));
  CHECK_FALSE(box.inbox.post_said(tip(3, 2), 900));
  CHECK(box.turn().size() == 3);
}

TEST_CASE("what a lost link asked for is not served, and what it said is heard before its end") {
  Box box;
  box.inbox.post(Input{PeerUp{peer(1)}});
  REQUIRE_FALSE(box.inbox.post_said(tip(1, 1), 10));
  for (const net::Message& request :
       {net::Message{net::EventsRequest{}}, net::Message{net::BlocksRequest{}},
        net::Message{net::HeadersRequest{}}, net::Message{net::TemplateRequest{}}}) {
    REQUIRE_FALSE(box.inbox.post_said({peer(1), request}, 300));
    REQUIRE_FALSE(box.inbox.post_said({peer(2), request}, 100));
  }
  box.inbox.post(Input{PeerDown{peer(1)}});
  box.inbox.post(Input{PeerUp{peer(1)}});
  // Its room is free again.
  CHECK_FALSE(box.inbox.post_said(tip(1, 2), 10));
  const auto inputs = box.turn();
  CHECK(inputs.size() == 9);
  std::string of_first;
  for (const Input& input : inputs) {
    if (std::holds_alternative<PeerUp>(input)) of_first += 'u';
    if (std::holds_alternative<PeerDown>(input)) of_first += 'd';
    if (const auto* said = std::get_if<PeerSaid>(&input); said && said->peer == peer(1))
      of_first += std::holds_alternative<net::TipSaid>(said->message) ? 't' : 'r';
  }
  CHECK(of_first == "utdut");
}

TEST_CASE("a closed inbox has nothing to take and takes nothing") {
  Box box;
  box.inbox.post(Input{ClientReads{}});
  box.inbox.close();
  box.inbox.post(Input{ClientReads{}});
  CHECK_FALSE(box.inbox.post_said(tip(1, 1), 1));
  CHECK_FALSE(box.inbox.take(std::chrono::steady_clock::time_point{}, 256).has_value());
}
