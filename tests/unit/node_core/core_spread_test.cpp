// Bodies spread among the nodes without a vote before a template names them.

#include <doctest/doctest.h>

#include "node/gossip.h"
#include "tests/unit/node_core/crew_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kVoters = 3;
constexpr std::size_t kObservers = 6;

// Templates stay with the voters until the test lets them go; voters do not mine.
struct Spreading {
  Spreading() {
    crew.elect();
    for (std::size_t at = kVoters; at < kVoters + kObservers; ++at)
      crew.admit(at, chain::MemberRole::kObserver);
    crew.run(2s);
    for (std::size_t at = 0; at < kVoters + kObservers; ++at) crew.idle.insert(at);
    crew.is_lost = [this](const Crew::Letter& letter) {
      if (const auto* events = std::get_if<net::Events>(&letter.message);
          events != nullptr && events->batch == 0)
        bodies[{letter.from < kVoters, letter.to < kVoters}] += events->events.size();
      if (const auto* request = std::get_if<net::EventsRequest>(&letter.message)) {
        if (letter.from >= kVoters) requests_in_full += request->entries.size();
        if (is_silent) return true;
      }
      if (const auto* word = std::get_if<net::EventsAnnounce>(&letter.message)) {
        words += word->ids.size();
        words_to_voters += letter.to < kVoters ? word->ids.size() + word->entries.size() : 0;
      }
      return holds_templates && letter.to >= kVoters &&
             std::holds_alternative<net::TemplatePush>(letter.message);
    };
  }
  [[nodiscard]] std::size_t holders() const {
    std::size_t count = 0;
    for (std::size_t at = kVoters; at < kVoters + kObservers; ++at)
      count += crew.nodes[at]->core->pool().size();
    return count;
  }

  Crew crew{kVoters, kObservers};
  bool holds_templates = true;
  bool is_silent = false;
  std::map<std::pair<bool, bool>, std::size_t> bodies;  // by whether sender and receiver vote
  std::size_t requests_in_full = 0;                     // by observers
  std::size_t words = 0;
  std::size_t words_to_voters = 0;
};

}  // namespace

TEST_CASE("a body accepted at a voter is at all observers before the template, three from it") {
  Spreading mesh;
  mesh.crew.submit(1, event("a", "x", 1), WaitFor::kDurable);
  CHECK(mesh.crew.run(1s, [&] { return mesh.holders() == kObservers; }));
  CHECK(mesh.bodies[{true, false}] <= Gossip::kToldByVoter);
  CHECK(mesh.bodies[{true, false}] + mesh.bodies[{false, false}] == kObservers);
  mesh.holds_templates = false;
  for (std::size_t at = 0; at < kVoters; ++at) mesh.crew.idle.erase(at);
  CHECK(mesh.crew.run(10s, [&] { return mesh.holders() == 0; }));
  CHECK(mesh.bodies[{true, false}] + mesh.bodies[{false, false}] == kObservers);
  CHECK(mesh.requests_in_full == 0);
  CHECK(mesh.words_to_voters == 0);
}

TEST_CASE("a body accepted at an observer costs the voters none on its way to the others") {
  Spreading mesh;
  mesh.crew.submit(kVoters, event("a", "x", 1), WaitFor::kDurable);
  CHECK(mesh.crew.run(1s, [&] { return mesh.holders() == kObservers; }));
  CHECK(mesh.bodies[{true, false}] == 0);
  CHECK(mesh.bodies[{false, false}] == kObservers - 1);
}

TEST_CASE("what others spread is not brought to the leader by every node again and again") {
  Spreading mesh;
  mesh.crew.submit(1, event("a", "x", 1), WaitFor::kDurable);
  mesh.crew.run(30s);
  CHECK(mesh.holders() == kObservers);
  // Voters that follow tell the leader of what is pending.
  const std::size_t of_voters = mesh.words_to_voters;
  CHECK(of_voters <= (kVoters - 1) * 7);
  CHECK(mesh.words <= kObservers * kObservers);
}

TEST_CASE("what was spread though no voter holds it is brought to the leader in the end") {
  Spreading mesh;
  const auto unknown = event("a", "x", 1);
  const auto id = chain::short_id(unknown.facts.commitment);
  const chain::NodeId liar = voter_id(kVoters + 1);
  mesh.crew.handle(kVoters, PeerSaid{liar, net::EventsAnnounce{{}, {id}}});
  mesh.crew.handle(kVoters, PeerSaid{liar, net::Events{0, {{unknown.salt, unknown.body}}}});
  mesh.crew.run(110s);
  CHECK(mesh.holders() == kObservers);
  CHECK(mesh.crew.nodes[0]->core->pool().size() == 0);
  CHECK(mesh.words_to_voters == 0);
  mesh.crew.run(20s);
  CHECK(mesh.crew.nodes[*mesh.crew.leader()]->core->pool().size() == 1);
}

TEST_CASE("a template does without what did not spread in time") {
  Spreading mesh;
  mesh.is_silent = true;
  mesh.crew.submit(1, event("a", "x", 1), WaitFor::kDurable);
  mesh.crew.run(500ms);
  CHECK(mesh.holders() == 0);
  mesh.is_silent = false;
  mesh.holds_templates = false;
  for (std::size_t at = 0; at < kVoters; ++at) mesh.crew.idle.erase(at);
  const auto height = mesh.crew.height(0);
  CHECK(mesh.crew.run(20s, [&] {
    for (std::size_t at = 0; at < kVoters + kObservers; ++at)
      if (mesh.crew.height(at) <= height) return false;
    return true;
  }));
  CHECK(mesh.requests_in_full > 0);
}

TEST_CASE("a node that takes nothing in asks for nothing that spreads") {
  Spreading mesh;
  const std::size_t before = mesh.bodies[{true, false}] + mesh.bodies[{false, false}];
  mesh.crew.handle(kVoters, DiskSpace{true});
  mesh.crew.submit(1, event("a", "x", 1), WaitFor::kDurable);
  CHECK(mesh.crew.run(1s, [&] { return mesh.holders() == kObservers - 1; }));
  mesh.crew.run(1s);
  CHECK(mesh.crew.nodes[kVoters]->core->pool().size() == 0);
  CHECK(mesh.bodies[{true, false}] + mesh.bodies[{false, false}] == before + kObservers - 1);
}
