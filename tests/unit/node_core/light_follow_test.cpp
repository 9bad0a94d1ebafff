// A light member that follows: what it takes, and what it refuses.

#include <doctest/doctest.h>

#include "net/limits.h"
#include "tests/unit/node_core/light_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

namespace {

// The block after the tip, changed and then sealed and signed as if it were sound.
net::HeadersReply remade(Light& light, const std::function<void(chain::LightBlock&)>& change,
                         bool is_sealed_again = true) {
  net::HeadersReply reply = light.reply(light.height() + 1, light.height() + 1);
  chain::LightBlock& block = reply.blocks[0];
  change(block);
  if (is_sealed_again) block.sealed.seal = seal_of(block.sealed.header);
  reply.certificate = certificate(block.sealed, {1, 2});
  return reply;
}

struct Break {
  const char* rule;
  std::function<void(chain::LightBlock&)> change;
  bool is_sealed_again = true;
};

const std::vector<Break> kBreaks = {
    {"wrong-chain", [](auto& block) { block.sealed.header.chain.octets[0] ^= 1; }},
    {"wrong-height", [](auto& block) { block.sealed.header.height.value += 1; }},
    {"time-before-parent", [](auto& block) { block.sealed.header.started.value -= 1; }},
    {"time-before-start", [](auto& block) { block.sealed.header.time.value -= 1; }},
    {"wrong-target",
     [](auto& block) {
       block.sealed.header.share_target = chain::compact(chain::target_for(chain::U256(4)));
     }},
    {"wrong-share-count", [](auto& block) { block.sealed.header.share_count = 2; }},
    {"wrong-history-root", [](auto& block) { block.sealed.header.history_root.octets[5] ^= 1; }},
    {"wrong-log-size", [](auto& block) { block.sealed.header.log_size = 0; }},
    {"too-many-events", [](auto& block) { block.sealed.header.log_size += 65'537; }},
    {"wrong-annex-root", [](auto& block) { block.sealed.header.annex_root.octets[0] ^= 1; }},
    {"wrong-annex-root",
     [](auto& block) {
       block.annex.push_back(order_of(chain::SetVoterPolicy{{3, 1}}));
     }},
    {"wrong-member-order",
     [](auto& block) {
       block.annex.push_back(order_of(chain::RemoveMember{voter_id(7)}));
       block.sealed.header.annex_root = chain::annex_root(block.annex);
     }},
    {"sealed-before-time", [](auto& block) { block.sealed.seal.sealed_at.value -= 1; }, false},
    {"share-slot-unknown",
     [](auto& block) {
       auto& header = block.sealed.header;
       const auto target = chain::expand(header.share_target);
       chain::Nonce nonce{chain::nonce_high(chain::Slot{77}, 0, 0), 0};
       while (!chain::share_meets(chain::Sha256Digest(), header, nonce, *target)) ++nonce.low;
       block.sealed.seal.shares = {nonce};
     },
     false},
    {"share-misses-target",
     [](auto& block) {
       auto& header = block.sealed.header;
       const auto target = chain::expand(header.share_target);
       chain::Nonce nonce;
       while (chain::share_meets(chain::Sha256Digest(), header, nonce, *target)) ++nonce.low;
       block.sealed.seal.shares = {nonce};
     },
     false},
};

}  // namespace

TEST_CASE("a light member comes to the tip, past blocks that change the members") {
  Light light;
  light.follow(5);
  CHECK(light.core->chain_state().tip == chain::block_id(light.history.sealed(5)));
  CHECK(light.core->certified() == chain::Height{5});
  CHECK(*light.core->chain_state().members == *light.history.ledger.ledger.state().members);
  CHECK(light.core->chain_state().history.total_work() ==
        light.history.ledger.ledger.state().history.total_work());
  CHECK(light.all<HangUp>().empty());
  // It is in the set that its neighbours are told by.
  REQUIRE_FALSE(light.all<MembersChanged>().empty());
  CHECK(chain::find_member(*light.all<MembersChanged>().back().members, voter_id(kLightPlace)) !=
        nullptr);
  CHECK(light.store.durable_height() == chain::Height{5});
  CHECK(light.store.block(chain::Height{4}).annex == light.history.block(4).content.annex);
}

TEST_CASE("it asks whoever shows a certificate at once, and whoever told a tip a little later") {
  Light light;
  light.said(0, net::TipSaid{chain::Height{2}, {}});
  CHECK(light.sent<net::HeadersRequest>().empty());
  light.pass(LightCore::kGrace);
  REQUIRE(light.sent<net::HeadersRequest>().size() == 1);
  const auto [to, request] = light.sent<net::HeadersRequest>()[0];
  CHECK(to == voter_id(0));
  CHECK(request == net::HeadersRequest{chain::Height{1}, 2});
  light.said(0, light.reply(1, 2));
  light.shows(2, 600);
  REQUIRE(light.sent<net::HeadersRequest>().size() == 2);
  CHECK(light.sent<net::HeadersRequest>()[1].second ==
        net::HeadersRequest{chain::Height{3}, net::limits::kHeadersPerReplyMax});
  CHECK(light.sent<net::HeadersRequest>()[1].first == voter_id(2));
}

TEST_CASE("where one does not answer or proves nothing, the next one is asked") {
  Light light;
  light.shows(0, 2);
  light.said(1, net::TipSaid{chain::Height{2}, {}});
  REQUIRE(light.sent<net::HeadersRequest>().size() == 1);
  SUBCASE("no answer in time") {
    light.pass(LightCore::kAnswerWithin - 1ms);
    CHECK(light.sent<net::HeadersRequest>().size() == 1);
    light.pass(1ms);
  }
  SUBCASE("the link breaks") {
    light.handle(PeerDown{voter_id(0)});
    light.pass(LightCore::kGrace);
  }
  SUBCASE("an answer of nothing") {
    light.said(0, net::HeadersReply{chain::Height{1}, {}, {}});
    light.pass(LightCore::kGrace);
  }
  REQUIRE(light.sent<net::HeadersRequest>().size() == 2);
  CHECK(light.sent<net::HeadersRequest>()[1].first == voter_id(1));
  light.said(1, light.reply(1, 2));
  CHECK(light.height() == 2);
}

TEST_CASE("who proves nothing is asked less and less often, until he shows a certificate") {
  Light light;
  light.shows(0, 2);
  std::size_t asked = 1;
  for (const auto wait : {500ms, 1000ms, 2000ms, 4000ms, 8000ms, 8000ms}) {
    light.said(0, net::HeadersReply{chain::Height{1}, {}, {}});
    light.said(0, net::TipSaid{chain::Height{2}, {}});  // repeated, as it is every few seconds
    light.pass(wait - 1ms);
    CHECK(light.sent<net::HeadersRequest>().size() == asked);
    light.pass(1ms);
    CHECK(light.sent<net::HeadersRequest>().size() == ++asked);
  }
  light.said(0, net::HeadersReply{chain::Height{1}, {}, {}});
  light.shows(0, 2);
  CHECK(light.sent<net::HeadersRequest>().size() == asked + 1);
}

TEST_CASE(
    "a proven header that breaks a rule is refused, its rule named, and its sender hung up on") {
  for (const Break& broken : kBreaks) {
    Light light;
    light.follow(1);
    light.shows(1, 2);
    light.said(1, remade(light, broken.change, broken.is_sealed_again));
    INFO("expected: ", broken.rule, ", got: ", light.hung_up_for());
    CHECK(light.hung_up_for().ends_with(std::string("rule=") + broken.rule));
    CHECK(light.height() == 1);
    CHECK(light.store.durable_height() == chain::Height{1});
  }
}

TEST_CASE("the same headers without a break are taken") {
  Light light;
  light.follow(1);
  light.shows(1, 2);
  light.said(1, remade(light, [](auto&) {}));
  CHECK(light.height() == 2);
}

TEST_CASE("a run is taken as a whole or not at all") {
  Light light;
  light.shows(1, 3);
  net::HeadersReply reply = light.reply(1, 3);
  reply.blocks[1].annex.push_back(order_of(chain::SetVoterPolicy{{3, 1}}));
  light.said(1, reply);
  CHECK(light.hung_up_for().find("height=2 rule=wrong-annex-root") != std::string::npos);
  CHECK(light.height() == 0);
}

TEST_CASE("headers that do not follow one another are refused") {
  Light light;
  light.shows(1, 2);
  net::HeadersReply reply = light.reply(1, 2);
  reply.blocks[0].sealed.seal.sealed_at.value += 1;
  light.said(1, reply);
  CHECK(light.hung_up_for().find("do not follow one another") != std::string::npos);
  CHECK(light.height() == 0);
}

TEST_CASE("only the signatures of a majority of the voters prove anything") {
  const std::vector<std::vector<std::size_t>> too_few = {
      {1},                   // one of three
      {1, 1},                // the same one twice
      {1, kLightPlace},      // no member yet, and never a voter
      {1, kLightPlace, 17},  // a slot of nobody
  };
  for (const auto& signers : too_few) {
    Light light;
    light.shows(1, 2);
    light.said(1, light.reply(1, 2, signers));
    INFO(signers.size(), " signers");
    CHECK(light.hung_up_for().find("certificate") != std::string::npos);
    CHECK(light.height() == 0);
  }
  Light light;
  light.shows(1, 2);
  net::HeadersReply other = light.reply(1, 2);
  other.certificate = light.reply(1, 1).certificate;  // of another block
  light.said(1, other);
  CHECK(light.hung_up_for().find("certificate") != std::string::npos);
  CHECK(light.height() == 0);
}

TEST_CASE("a light member that was admitted signs for nobody") {
  Light light;
  light.follow(5);
  light.history.ledger.commit();
  light.shows(1, 6);
  light.said(1, light.reply(6, 6, {1, kLightPlace}));
  CHECK(light.hung_up_for().find("certificate") != std::string::npos);
}

TEST_CASE("an answer that reaches beyond a block that changes the members is refused") {
  Light light;
  light.follow(2);
  light.shows(1, 4);
  light.said(1, light.reply(3, 4));
  CHECK(light.hung_up_for().find("beyond a block that changes the members") != std::string::npos);
  CHECK(light.height() == 2);
}

TEST_CASE("a history that is certified beside the own one is an alarm, and not the peer's fault") {
  Light light;
  light.follow(2);
  History fork("b", 3);
  light.shows(1, 3);
  const chain::Block block = fork.block(3);
  light.said(1, net::HeadersReply{
                    chain::Height{3}, {{block.sealed, {}}}, certificate(block.sealed, {1, 2})});
  CHECK(light.height() == 2);
  CHECK(light.all<HangUp>().empty());
  std::size_t errors = 0;
  for (const auto& notice : light.all<Notice>())
    errors += notice.level == Notice::Level::kError ? 1 : 0;
  CHECK(errors == 1);
  const auto evidence = light.all<Evidence>();
  REQUIRE(evidence.size() == 1);
  CHECK(evidence[0].own == light.history.sealed(2));
  CHECK(evidence[0].own_signatures.size() == 2);
  CHECK(evidence[0].others == std::vector{block.sealed});
  CHECK(evidence[0].others_signatures == certificate(block.sealed, {1, 2}));
}

TEST_CASE("what nobody was asked for changes nothing") {
  Light light;
  light.said(1, light.reply(1, 2));
  CHECK(light.height() == 0);
  light.shows(0, 2);
  light.said(1, light.reply(1, 2));  // another than was asked
  CHECK(light.height() == 0);
  light.said(0, light.reply(1, 2));
  CHECK(light.height() == 2);
}

TEST_CASE("who was refused is not listened to for a while") {
  Light light;
  light.shows(1, 2);
  light.said(1, light.reply(1, 2, {1}));
  REQUIRE(light.all<HangUp>().size() == 1);
  light.shows(1, 2);
  CHECK(light.sent<net::HeadersRequest>().size() == 1);
  light.link(1);
  CHECK(light.all<HangUp>().size() == 2);
  light.pass(Conduct::kShunFor);
  light.link(1);
  light.shows(1, 2);
  light.said(1, light.reply(1, 2));
  CHECK(light.height() == 2);
}

TEST_CASE("it speaks neither with another disk of a member nor with another light member") {
  Light light;
  light.handle(PeerUp{voter_id(2), voter_store(7)});
  CHECK(light.hung_up_for().find("disk") != std::string::npos);

  Light first;
  chain::JoinToken token;
  token.octets[0] = 10;
  const chain::UnixMillis until{first.history.ledger.now.wall.value + 3'600'000};
  first.history.ledger.commit({order_of(
      chain::Invite{{chain::token_hash(token), chain::MemberRole::kLight, "m", "", until}})});
  chain::Member member;
  member.node = voter_id(4);
  member.signing_key.octets[0] = 5;
  member.slot = chain::Slot{4};
  member.name = "m";
  member.role = chain::MemberRole::kLight;
  member.store = voter_store(4);
  first.history.ledger.commit({order_of(chain::Admit{token, member})});
  first.follow(7);
  first.link(4);
  CHECK(first.hung_up_for().find("light members") != std::string::npos);
  CHECK_FALSE(first.core->status().peers.empty());
  for (const auto& peer : first.core->status().peers) CHECK(peer.node != voter_id(4));
}

TEST_CASE("a restart goes on from the store") {
  Light light;
  light.follow(4);
  const chain::HeaderState before = light.core->chain_state();
  light.store.turns().commit();
  light.start();
  CHECK(light.height() == 4);
  CHECK(light.core->chain_state().tip == before.tip);
  CHECK(*light.core->chain_state().members == *before.members);
  CHECK(light.core->chain_state().history.root() == before.history.root());
  light.link(1);
  light.follow(5);
  CHECK(light.height() == 5);
}

TEST_CASE("what a crash takes away was never told") {
  Light light;
  light.follow(1);
  light.shows(1, 2);
  light.core->handle(light.now, PeerSaid{voter_id(1), light.reply(2, 2)});
  REQUIRE(light.height() == 2);
  light.store.crash();
  light.start();
  CHECK(light.height() == 1);
  light.link(1);
  light.follow(5);
  CHECK(light.height() == 5);
}

TEST_CASE("a store that proves nothing is refused at the start") {
  Light light;
  light.follow(4);
  light.store.turns().commit();
  chain::LightBlock& tip = light.store.damage_tip();
  SUBCASE("a header") {
    tip.sealed.header.log_root.octets[0] ^= 1;
  }
  SUBCASE("a seal") {
    tip.sealed.seal.sealed_at.value += 1;
  }
  SUBCASE("an annex") {
    tip.annex.clear();
  }
  CHECK_THROWS_AS(light.start(), store::StoreFailure);
}

TEST_CASE("a program that is too old does and says nothing more, however late it is ended") {
  Light light;
  light.follow(5);
  light.history.ledger.commit({order_of(chain::RaiseFeatureLevel{chain::kFeatureLevelMax + 1})});
  light.history.ledger.commit();
  light.follow(6);
  CHECK(light.all<Outdated>().size() == 1);
  light.seen.clear();
  light.shows(1, 7);
  light.pass(5s);
  CHECK(light.sent<net::HeadersRequest>().empty());
  CHECK(light.height() == 6);
  light.store.turns().commit();
  light.seen.clear();
  light.start();
  CHECK(light.all<Outdated>().size() == 1);
}

TEST_CASE("one who is removed, and one who is no light member, does not go on") {
  SUBCASE("removed") {
    Light light;
    light.follow(5);
    light.history.ledger.commit({order_of(chain::RemoveMember{voter_id(kLightPlace)})});
    CHECK(light.all<Removed>().empty());
    light.follow(6);
    CHECK(light.all<Removed>().size() == 1);
    CHECK(light.all<WrongKind>().empty());
  }
  SUBCASE("invited as an observer") {
    Light light(2, chain::MemberRole::kObserver);
    light.follow(3);
    CHECK(light.all<WrongKind>().empty());
    light.follow(4);
    REQUIRE(light.all<WrongKind>().size() == 1);
    CHECK(light.all<WrongKind>()[0].reason.find("node.light") != std::string::npos);
    light.store.turns().commit();
    light.start();
    CHECK(light.all<WrongKind>().size() == 2);
  }
}
