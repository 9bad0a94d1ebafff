// What a light member mines, and a light member among full ones.

#include <doctest/doctest.h>

#include "tests/unit/node_core/crew_fixture.h"
#include "tests/unit/node_core/light_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

TEST_CASE("a light member mines in its slot, and its share goes to the voters, once") {
  Light light;
  light.follow(5);
  const chain::TemplateHeader header = light.next_template();
  light.said(1, net::TemplateHeaderPush{header});
  REQUIRE(light.all<Mine>().size() == 1);
  const mining::WorkOrder order = light.all<Mine>()[0].order;
  CHECK(order.header == header);
  CHECK(order.slot == chain::Slot{kLightPlace});
  CHECK(light.core->status().working_on == chain::Height{6});

  light.said(2, net::TemplateHeaderPush{header});  // the same from another
  CHECK(light.all<Mine>().size() == 1);
  const mining::ShareFound found = Light::share_for(order);
  light.handle(MinerFound{found});
  light.handle(MinerFound{found});
  REQUIRE(light.sent<net::SharePush>().size() == 3);
  CHECK(light.sent<net::SharePush>()[0].second == net::SharePush{found.template_hash, found.nonce});
  CHECK(light.core->status().counters.own_shares == ShareCounts{.accepted = 1, .surplus = 1});
  // One share seals: it has nothing more to find.
  CHECK(light.all<StopMining>().size() == 1);
  light.handle(PeerDown{voter_id(0)});
  light.link(0);
  CHECK(light.sent<net::SharePush>().size() == 4);  // shown to who comes
}

TEST_CASE("a template that breaks a rule costs the link, the rule named") {
  struct Break {
    const char* rule;
    std::function<void(chain::TemplateHeader&)> change;
  };
  const std::vector<Break> breaks = {
      {"time-before-parent", [](auto& header) { header.started.value -= 1; }},
      {"time-before-start", [](auto& header) { header.time.value -= 1; }},
      {"wrong-target", [](auto& header) { header.share_target.bits += 1; }},
      {"wrong-member-set", [](auto& header) { header.member_set = {}; }},
      {"wrong-history-root", [](auto& header) { header.history_root = {}; }},
      {"wrong-log-size", [](auto& header) { header.log_size -= 1; }},
  };
  for (const Break& broken : breaks) {
    Light light;
    light.follow(5);
    chain::TemplateHeader header = light.next_template();
    broken.change(header);
    light.said(1, net::TemplateHeaderPush{header});
    INFO("expected: ", broken.rule, ", got: ", light.hung_up_for());
    CHECK(light.hung_up_for().ends_with(std::string("rule=") + broken.rule));
    CHECK(light.all<Mine>().empty());
  }
}

TEST_CASE("a template of another tip is neither mined nor a fault") {
  Light light;
  light.follow(5);
  chain::TemplateHeader header = light.next_template();
  header.parent.octets[0] ^= 1;
  light.said(1, net::TemplateHeaderPush{header});
  header = light.next_template();
  header.height = light.core->chain_state().height();
  light.said(1, net::TemplateHeaderPush{header});
  CHECK(light.all<Mine>().empty());
  CHECK(light.all<HangUp>().empty());
}

TEST_CASE("a template that came before its parent is mined when the parent is here") {
  Light ahead;
  ahead.follow(5);
  const chain::TemplateHeader header = ahead.next_template();
  Light light;
  light.follow(4);
  light.said(1, net::TemplateHeaderPush{light.next_template()});
  REQUIRE(light.all<Mine>().size() == 1);
  light.said(2, net::TemplateHeaderPush{header});
  CHECK(light.all<Mine>().size() == 1);
  light.follow(5);
  REQUIRE(light.all<Mine>().size() == 2);
  CHECK(light.all<Mine>()[1].order.header == header);
  CHECK(light.all<StopMining>().size() == 1);  // of the one before
}

TEST_CASE("a false template that came before its parent costs the link later") {
  Light ahead;
  ahead.follow(5);
  chain::TemplateHeader header = ahead.next_template();
  header.member_set = {};
  Light light;
  light.follow(4);
  light.said(2, net::TemplateHeaderPush{header});
  CHECK(light.all<HangUp>().empty());
  light.follow(5);
  CHECK(light.hung_up_for().ends_with("rule=wrong-member-set"));
}

TEST_CASE("what a voter took up last is mined, each template once") {
  Light light;
  light.follow(5);
  const chain::TemplateHeader first = light.next_template();
  chain::TemplateHeader second = first;
  second.log_size += 1;
  for (const auto& header : {first, second, first}) light.said(0, net::TemplateHeaderPush{header});
  REQUIRE(light.all<Mine>().size() == 2);
  CHECK(light.all<Mine>()[1].order.header == second);
}

TEST_CASE("a light member among voters follows, and blocks are sealed by its shares alone") {
  Crew crew(3, 1, 1);
  const std::size_t leader = crew.elect();
  crew.admit(3, chain::MemberRole::kLight);
  CHECK(crew.run(10s, [&] { return crew.height(3) == crew.height(leader); }));
  crew.kinds.clear();
  crew.idle = {0, 1, 2};
  const std::uint64_t before = crew.height(leader).value;
  for (int i = 0; i < 5; ++i) {
    crew.submit(leader, event("e" + std::to_string(i), "x", 1), WaitFor::kFinal);
    const chain::Height next = crew.height(leader).next();
    REQUIRE(crew.run(10s, [&] { return crew.height(3) == next; }));
  }
  CHECK(crew.answers.size() == 5);
  for (std::uint64_t height = before + 1; height <= crew.height(leader).value; ++height) {
    const chain::LightBlock& block = crew.nodes[3]->light_store.block(chain::Height{height});
    CHECK(block.sealed.seal.shares.at(0).slot() == chain::Slot{3});
  }
  const std::set<std::string> wanted = {"headers_reply", "signatures", "template_header_push",
                                        "tip_said"};
  CHECK(crew.kinds[3] == wanted);
  CHECK(crew.nodes[3]->light->status().counters.peer_faults == 0);
  for (const std::size_t voter : {0U, 1U, 2U})
    CHECK(crew.nodes[voter]->core->status().counters.peer_faults == 0);
  CHECK(crew.errors.empty());
}

TEST_CASE("an order to make a voter of a light member is refused for good, the remedy named") {
  Crew crew(3, 1, 1);
  const std::size_t leader = crew.elect();
  crew.admit(3, chain::MemberRole::kLight);
  const auto told = crew.order(leader, chain::SetRole{voter_id(3), chain::MemberRole::kVoter});
  CHECK(told.outcome == net::OrderOutcome::kRefused);
  CHECK(told.message.find("let it join anew") != std::string::npos);
}

TEST_CASE("a light member far behind comes to the tip past changes of members") {
  Crew crew(3, 1, 1);
  const std::size_t leader = crew.elect();
  crew.admit(3, chain::MemberRole::kLight);
  for (const std::size_t voter : {0U, 1U, 2U}) crew.cut(3, voter);
  for (std::uint32_t i = 1; i <= 8; ++i) {
    crew.submit(leader, event("e" + std::to_string(i), "x", 1), WaitFor::kFinal);
    CHECK(crew.order(leader, chain::SetVoterPolicy{{3, i}}).message == "");
  }
  crew.cuts.clear();
  for (const std::size_t voter : {0U, 1U, 2U}) {
    crew.handle(3, Crew::up(voter));
    crew.handle(voter, Crew::up(3));
  }
  CHECK(crew.run(10s, [&] { return crew.height(3) == crew.height(leader); }));
  CHECK(crew.members(3) == crew.members(leader));
  CHECK(crew.errors.empty());
}

TEST_CASE("what a light member claims counts for nothing, and headers are sent to who asked") {
  Crew crew(3, 1, 1);
  const std::size_t leader = crew.elect();
  crew.admit(3, chain::MemberRole::kLight);
  const auto follower = (leader + 1) % 3;
  crew.run(1s);
  crew.kinds.clear();
  crew.handle(follower, PeerSaid{voter_id(3), net::TipSaid{chain::Height{1000}, {}}});
  const chain::EntryRef entry{chain::EventKey::from(std::string(16, 'k')).value(), {}};
  crew.handle(follower, PeerSaid{voter_id(3), net::EventsAnnounce{{entry}}});
  crew.run(10s);
  for (const char* kind : {"blocks_request", "events_request", "events_announce", "events"})
    CHECK_MESSAGE(!crew.kinds[3].contains(kind), std::string(kind));
  CHECK(crew.nodes[follower]->core->status().counters.peer_faults == 0);
  crew.handle(follower, PeerSaid{voter_id(leader), net::HeadersReply{chain::Height{1}, {}, {}}});
  CHECK(crew.nodes[follower]->core->status().counters.peer_faults == 1);
}

TEST_CASE("a full node gets what a light member asks for, up to the block that changes members") {
  Behind behind(true, voter_id(0), 2);
  admit_light(behind.history);
  behind.ask(2, 2);
  behind.said(2, behind.reply(1, 2));
  REQUIRE(behind.height() == 2);
  std::vector<net::HeadersReply> replies;
  const auto ask = [&](std::uint64_t from, std::uint32_t count) {
    behind.voter.said(1, net::HeadersRequest{chain::Height{from}, count});
    for (const auto& effect : behind.voter.end_turn())
      if (const auto* send = std::get_if<Send>(&effect))
        if (const auto* reply = std::get_if<net::HeadersReply>(&send->message))
          replies.push_back(*reply);
    REQUIRE_FALSE(replies.empty());
    return replies.back();
  };
  const net::HeadersReply both = ask(1, 512);
  REQUIRE(both.blocks.size() == 2);
  for (std::uint64_t height : {1U, 2U})
    CHECK(both.blocks[height - 1].sealed == behind.history.sealed(height));
  CHECK(both.certificate.size() >= 2);
  // Below the block that has a certificate there is nothing to prove, and above the tip nothing.
  CHECK(ask(1, 1).blocks.empty());
  CHECK(ask(3, 10) == net::HeadersReply{chain::Height{3}, {}, {}});
}

TEST_CASE("a full node that the cluster knows as a light member does not go on") {
  Behind behind(true, voter_id(kLightPlace), 1);
  admit_light(behind.history);
  behind.voter.core->handle(behind.voter.now,
                            PeerSaid{voter_id(2), net::TipSaid{chain::Height{3}, {}}});
  std::vector<std::string> reasons;
  for (int i = 0; i < 400 && reasons.empty(); ++i) {
    behind.voter.now.steady = behind.voter.now.steady + 10ms;
    behind.voter.core->handle(behind.voter.now, Woke{});
    for (const auto& effect : behind.voter.end_turn()) {
      if (const auto* wrong = std::get_if<WrongKind>(&effect)) reasons.push_back(wrong->reason);
      const auto* send = std::get_if<Send>(&effect);
      if (send == nullptr) continue;
      if (const auto* request = std::get_if<net::BlocksRequest>(&send->message)) {
        const std::uint64_t from = request->from.value;
        behind.voter.said(2, behind.reply(from, from));
      } else if (const auto* wanted = std::get_if<net::EventsRequest>(&send->message)) {
        behind.give_bodies(*wanted);
      } else if (const auto* made = std::get_if<net::TemplateRequest>(&send->message)) {
        behind.give_template(*made);
      }
    }
  }
  REQUIRE(reasons.size() == 1);
  CHECK(reasons[0].find("node.light = true") != std::string::npos);
}
