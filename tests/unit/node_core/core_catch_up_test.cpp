#include <doctest/doctest.h>

#include "tests/unit/node_core/catch_up_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

TEST_CASE("blocks up to a certified one are applied, and their certificate is kept") {
  Behind one;
  one.ask(1, 3);
  REQUIRE(one.requests.size() == 1);
  CHECK(one.requests[0].to == voter_id(1));
  CHECK(one.requests[0].what == net::BlocksRequest{chain::Height{1}, 3});
  const auto applied = one.voter.core->replica().applied_index();
  one.said(1, one.reply(1, 3));
  CHECK(one.height() == 3);
  CHECK(one.voter.core->chain_state().tip == chain::block_id(one.history.sealed(3)));
  CHECK(one.voter.core->certified() == chain::Height{3});
  CHECK(one.voter.store.chain().signatures(chain::Height{3}).size() == 3);  // its own, too
  CHECK(one.voter.core->replica().applied_index() == applied);
  CHECK(one.requests.size() == 1);
  CHECK(one.hung_up.empty());
}

TEST_CASE("blocks without a sound certificate are refused and cost their sender the link") {
  Behind one;
  one.ask(1, 3);
  auto reply = one.reply(1, 3);
  SUBCASE("too few signatures") {
    reply = one.reply(1, 3, {1});
  }
  SUBCASE("a forged signature") {
    reply.certificate[1].signature.octets[0] ^= 1;
  }
  SUBCASE("the same voter twice") {
    reply.certificate[1] = reply.certificate[0];
  }
  SUBCASE("signatures of members who are no voters") {
    reply = one.reply(1, 3, {1, 7});
  }
  SUBCASE("a certificate of another block") {
    reply.certificate = certificate(one.history.sealed(2), {1, 2});
  }
  SUBCASE("another last block") {
    reply.blocks[2].sealed.seal.sealed_at.value += 1;
  }
  SUBCASE("a block that the next one does not name as its parent") {
    reply.blocks[1] = History("b").block(2);
  }
  SUBCASE("a gap") {
    reply.blocks.erase(reply.blocks.begin() + 1);
  }
  one.said(1, reply);
  CHECK(one.height() == 0);
  CHECK(one.hung_up == std::vector{voter_id(1)});
  CHECK(one.voter.store.chain().signatures(chain::Height{3}).empty());
}

TEST_CASE(
    "blocks without a certificate are not applied, and their sender is asked ever more rarely") {
  Behind one;
  one.ask(1, 3);
  auto reply = one.reply(1, 3);
  reply.certificate.clear();
  int asked = 1;
  for (int i = 0; i < 100; ++i) {
    if (one.requests.size() == static_cast<std::size_t>(asked)) {
      ++asked;
      one.said(1, reply);
    }
    one.pass(100ms);
  }
  CHECK(one.height() == 0);
  CHECK(one.hung_up.empty());
  CHECK(asked > 3);
  CHECK(asked < 8);
  one.tip_said(1, 4);  // there is something new to prove
  one.pass(8s);
  one.said(1, one.reply(1, 3));
  CHECK(one.height() == 3);
}

TEST_CASE(
    "towards a snapshot nobody's blocks are taken but the leader's, or those up to its point") {
  for (const bool has_the_leaders : {true, false}) {
    CAPTURE(has_the_leaders);
    Behind one;
    one.offer_snapshot(1, 3);
    REQUIRE(one.height() == 0);
    REQUIRE_FALSE(one.requests.empty());
    const auto until_both_are_asked = [&one] {
      for (int i = 0; i < 4; ++i) {
        one.decide(1, 2, 1, {});  // it goes on to lead
        one.pass(500ms);
      }
    };
    until_both_are_asked();

    // Sound work of somebody else, on the same tip.
    History other("b");
    const auto block = other.block(1);
    one.said(2, net::BlocksReply{chain::Height{1}, {block}, {}});
    net::Events bodies;
    for (const auto& entry : block.content.entries) {
      const auto held = other.ledger.ledger.load(entry);
      bodies.events.push_back({held->salt, held->body});
    }
    one.said(2, std::move(bodies));
    CHECK(one.height() == 0);

    until_both_are_asked();
    auto reply = has_the_leaders ? one.reply(1, 2) : one.reply(1, 3);
    reply.certificate.clear();
    one.said(has_the_leaders ? 1 : 2, reply);
    CHECK(one.height() == reply.blocks.size());
    CHECK(one.hung_up.empty());
  }
}

TEST_CASE("towards a snapshot a false content costs its sender the link, and another's is taken") {
  Behind one;
  one.offer_snapshot(1, 3);
  REQUIRE(one.requests.size() == 1);
  auto reply = one.reply(1, 3);
  reply.certificate.clear();
  auto forged = reply;
  forged.blocks[0].content.entries.clear();
  one.said(1, forged);
  CHECK(one.hung_up == std::vector{voter_id(1)});
  one.pass(0ms);
  REQUIRE(one.requests.back().to == voter_id(2));
  one.said(2, reply);
  CHECK(one.height() == 3);
  CHECK(one.hung_up.size() == 1);
}

TEST_CASE("an answer that nobody asked for is not looked at") {
  Behind one;
  one.said(1, one.reply(1, 3, {1}));
  one.said(1, one.reply(1, 3));
  CHECK(one.height() == 0);
  CHECK(one.hung_up.empty());
}

TEST_CASE("an answer of somebody who was not asked neither counts nor stands for one that does") {
  Behind one;
  one.ask(1, 3);
  REQUIRE(one.requests.size() == 1);
  one.said(2, net::BlocksReply{chain::Height{1}, {}, {}});
  auto forged = one.reply(1, 3);
  forged.certificate.clear();
  one.said(2, forged);
  CHECK(one.height() == 0);
  one.said(1, one.reply(1, 3));
  CHECK(one.height() == 3);
  CHECK(one.requests.size() == 1);
  CHECK(one.hung_up.empty());
}

TEST_CASE("as long as Raft brings blocks nobody is asked for them") {
  Behind one;
  one.tip_said(2, 3);
  one.pass(CatchUp::kGrace - 1ms);
  CHECK(one.requests.empty());
  one.decide(1, 2, 2, {one.history.sealed(1)});
  CHECK(one.height() == 1);
  one.pass(CatchUp::kGrace - 1ms);
  CHECK(one.requests.empty());
  one.pass(1ms);
  REQUIRE(one.requests.size() == 1);
  CHECK(one.requests[0].to == voter_id(2));
  CHECK(one.requests[0].what == net::BlocksRequest{chain::Height{2}, 2});
}

TEST_CASE("signatures of a majority on a block that is not here tell who is ahead, fewer do not") {
  Behind one;
  const auto sealed = one.history.sealed(3);
  const auto signed_by = [&](const std::vector<std::size_t>& voters) {
    return net::Signatures{chain::Height{3}, chain::block_id(sealed), certificate(sealed, voters)};
  };
  one.said(1, signed_by({1}));
  one.pass(CatchUp::kGrace);
  CHECK(one.requests.empty());
  one.said(1, signed_by({1, 2}));
  one.pass(CatchUp::kGrace);
  CHECK(one.requests.size() == 1);
}

TEST_CASE("a node without a key cannot tell a proof, and asks nobody") {
  Behind one(false);
  one.ask(1, 3);
  CHECK(one.requests.empty());
}

TEST_CASE("a peer that does not answer is not the only one that is asked") {
  Behind one;
  one.ask(1, 3);
  for (int i = 0; i < 7; ++i) one.pass(300ms);
  REQUIRE(one.requests.size() > 1);
  CHECK(one.requests[1].to == voter_id(2));
  one.said(2, one.reply(1, 3));
  CHECK(one.height() == 3);
  const std::size_t asked = one.requests.size();
  one.pass(2s);
  CHECK(one.requests.size() == asked);
}

TEST_CASE("a long way is gone reply by reply, without waiting in between") {
  Behind one;
  one.ask(1, 3);
  one.said(1, one.reply(1, 1));
  one.said(1, one.reply(2, 2));
  REQUIRE(one.requests.size() == 3);
  CHECK(one.requests[2].what == net::BlocksRequest{chain::Height{3}, 1});
  one.said(1, one.reply(3, 3));
  CHECK(one.height() == 3);
}

TEST_CASE("Raft's decisions on blocks that a certificate brought change nothing") {
  Behind one;
  one.ask(2, 2);
  one.said(2, one.reply(1, 2));
  CHECK(one.height() == 2);
  one.decide(1, 2, 4, {one.history.sealed(1), one.history.sealed(2), one.history.sealed(3)});
  CHECK(one.height() == 3);
  CHECK(one.voter.core->replica().applied_index() == consensus::LogIndex{4});
}

TEST_CASE("what Raft and a certificate bring at once is applied once, whoever is faster") {
  Behind one;
  one.sends_bodies = false;
  one.ask(2, 3);
  const auto bodies_of = [&](std::uint64_t height) {
    return net::EventsRequest{one.history.block(height).content.entries};
  };
  const std::vector decisions{one.history.sealed(1), one.history.sealed(2), one.history.sealed(3)};
  SUBCASE("the answer first") {
    one.said(2, one.reply(1, 3));
    one.decide(1, 2, 4, decisions);
  }
  SUBCASE("Raft first") {
    one.decide(1, 2, 4, decisions);
    one.said(2, one.reply(1, 3));
  }
  SUBCASE("Raft first, and committed when the block has come by certificate") {
    one.decide(1, 2, 1, decisions);
    one.said(2, one.reply(1, 3));
    one.give_bodies(bodies_of(1));
    one.end_turn();
    one.decide(1, 2, 2, {one.history.sealed(1)});
  }
  CHECK(one.height() <= 1);
  one.sends_bodies = true;
  for (std::uint64_t height = 1; height <= 3; ++height) one.give_bodies(bodies_of(height));
  one.end_turn();
  for (int i = 0; i < 5; ++i) one.pass(300ms);  // bodies that came before they were wanted
  CHECK(one.height() == 3);
  one.decide(1, 2, 4, decisions);
  CHECK(one.height() == 3);
  CHECK(one.voter.core->replica().applied_index() == consensus::LogIndex{4});
  CHECK(one.errors == 0);
}

TEST_CASE("a decision of a past leader neither stops a certified block nor gets past it") {
  Behind one;
  History other("b", 1);
  SUBCASE("it waits at the gate") {
    one.decide(1, 2, 1, {other.sealed(1)});
    CHECK(one.voter.core->replica().last_index() == consensus::LogIndex{1});
  }
  SUBCASE("it is in the log") {
    const auto held = event("b0", "x", 1);
    one.said(1, net::TemplatePush{{other.sealed(1).header, other.block(1).content}});
    one.said(1, net::Events{1, {{held.salt, held.body}}});
    one.decide(1, 2, 1, {other.sealed(1)});
    CHECK(one.voter.core->replica().last_index() == consensus::LogIndex{2});
  }
  one.ask(2, 3);
  one.said(2, one.reply(1, 3));
  CHECK(one.height() == 3);
  one.decide(2, 3, 4, {one.history.sealed(1), one.history.sealed(2), one.history.sealed(3)});
  CHECK(one.voter.core->replica().applied_index() == consensus::LogIndex{4});
  CHECK(one.voter.core->chain_state().tip == chain::block_id(one.history.sealed(3)));
}

TEST_CASE("bodies of a past leader's block are not waited for instead of a certified one's") {
  Behind one;
  one.sends_bodies = false;
  History other("b", 1);
  one.said(1, net::TemplatePush{{other.sealed(1).header, other.block(1).content}});
  one.decide(1, 2, 1, {other.sealed(1)});
  one.ask(2, 1);
  one.said(2, one.reply(1, 1));
  one.decide(1, 2, 1, {other.sealed(1)});  // the gate looks at it again
  CHECK(one.height() == 0);
  one.give_bodies({one.history.block(1).content.entries});
  one.end_turn();
  CHECK(one.height() == 1);
}

TEST_CASE("a certified header with another content costs its sender the link and no block") {
  Behind one;
  one.ask(1, 3);
  auto reply = one.reply(1, 3);
  SUBCASE("without its entries") {
    reply.blocks[0].content.entries.clear();
  }
  SUBCASE("with entries that nobody holds") {
    reply.blocks[0].content.entries[0].commitment.octets[0] ^= 1;
  }
  one.said(1, reply);
  CHECK(one.height() == 0);
  CHECK(one.hung_up == std::vector{voter_id(1)});
  CHECK(one.errors == 0);
  one.ask(2, 3);
  one.said(2, one.reply(1, 3));
  CHECK(one.height() == 3);
}

TEST_CASE("bodies that nobody has are given up with the blocks that name them") {
  Behind one;
  one.ask(1, 3);
  auto reply = one.reply(1, 3);
  // No header promises keys, so nothing but the body can tell.
  reply.blocks[0].content.entries[0].key.octets[0] ^= 1;
  one.said(1, reply);
  CHECK(one.height() == 0);
  one.tip_said(2, 3);
  one.pass(CatchUp::kStalled - 1ms);
  CHECK(one.requests.size() == 1);
  one.pass(1ms);
  REQUIRE(one.requests.size() == 2);
  CHECK(one.requests[1].to == voter_id(2));
  one.said(2, one.reply(1, 3));
  CHECK(one.height() == 3);
}

TEST_CASE("a certified block that breaks a rule is told once and not applied") {
  Behind one;
  auto bad = one.history.block(1);
  bad.sealed.seal.sealed_at.value = bad.sealed.header.time.value - 1;
  const net::BlocksReply reply{chain::Height{1}, {bad}, certificate(bad.sealed, {1, 2})};
  one.ask(1, 1);
  for (int i = 0; i < 100; ++i) {
    one.said(1, reply);
    one.pass(100ms);
  }
  CHECK(one.requests.size() > 2);
  CHECK(one.errors == 1);
  CHECK(one.height() == 0);
  CHECK(one.hung_up.empty());
}

TEST_CASE("a certified history other than one's own is told once and not followed") {
  Behind one;
  History other("b");
  one.decide(1, 2, 2, {one.history.sealed(1)});
  CHECK(one.height() == 1);
  const net::BlocksReply reply{
      chain::Height{2}, {other.block(2), other.block(3)}, certificate(other.sealed(3), {1, 2})};
  one.ask(2, 3);
  for (int i = 0; i < 50; ++i) {
    one.said(2, reply);
    one.pass(100ms);
  }
  CHECK(one.requests.size() > 1);
  CHECK(one.errors == 1);
  CHECK(one.height() == 1);
  CHECK(one.hung_up.empty());

  // What proves it to anybody is kept.
  REQUIRE(one.evidence.size() == 1);
  const Evidence& found = one.evidence[0];
  CHECK(found.own == one.history.sealed(1));
  CHECK(found.own_signatures.size() == 1);  // its own: it has heard of no other yet
  REQUIRE(found.others == std::vector{other.sealed(2), other.sealed(3)});
  CHECK(found.others[0].header.parent != chain::block_id(found.own));
  CHECK(chain::member_set_hash(*found.members) == found.others[1].header.member_set);
  CHECK(chain::is_proven_by(one.signing, *found.members, *found.members, found.others[1],
                            chain::block_id(found.others[1]), found.others_signatures));
}

TEST_CASE("blocks are served up to the highest certified one in the range, with its certificate") {
  Behind one;
  one.ask(1, 3);
  one.said(1, one.reply(1, 2));
  one.said(1, one.reply(3, 3));
  REQUIRE(one.height() == 3);
  one.said(2, net::BlocksRequest{chain::Height{1}, 3});
  one.said(2, net::BlocksRequest{chain::Height{1}, 2});
  one.said(2, net::BlocksRequest{chain::Height{1}, 1});
  REQUIRE(one.served.size() == 3);
  CHECK(one.served[0].blocks.size() == 3);
  CHECK(one.served[0].certificate == certificate(one.history.sealed(3), {0, 1, 2}));
  CHECK(one.served[1].blocks.size() == 2);
  CHECK(one.served[1].certificate == certificate(one.history.sealed(2), {0, 1, 2}));
  // The first block has the own signature alone.
  CHECK(one.served[2].blocks.size() == 1);
  CHECK(one.served[2].certificate.empty());
  // A signature that the disk damaged proves nothing, and is not handed on.
  auto damaged = certificate(one.history.sealed(3), {1, 2});
  for (auto& signature : damaged) {
    signature.signature.octets[0] ^= 1;
    one.voter.store.chain().put_signature(chain::Height{3}, signature);
  }
  one.said(2, net::BlocksRequest{chain::Height{1}, 3});
  REQUIRE(one.served.size() == 4);
  CHECK(one.served[3].blocks.size() == 2);
  CHECK(one.served[3].certificate == certificate(one.history.sealed(2), {0, 1, 2}));
}

TEST_CASE("a leader asks nobody, and takes no answer") {
  Behind one;
  one.ask(1, 3);
  CHECK(one.requests.size() == 1);
  // It stands for election, and the others vote for it.
  one.pass(10s);
  for (const bool pre_vote : {true, false}) {
    const auto term = one.voter.core->replica().term();
    const consensus::RequestVoteResult granted{3, pre_vote ? term.next() : term, true, pre_vote, 0,
                                               0};
    one.said(1, net::RaftSaid{{consensus::ServerId{2}, consensus::ServerId{1}, granted}});
  }
  REQUIRE(one.voter.core->replica().role() == consensus::Role::kLeader);
  one.requests.clear();
  one.tip_said(2, 4);
  one.said(1, one.reply(1, 3));
  CHECK(one.height() == 0);
  CHECK(one.requests.empty());
}
