#include "node/certifier.h"

#include <doctest/doctest.h>

#include "tests/sim/signing.h"
#include "tests/unit/node_core/node_core_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;

namespace {

// The first of three voters.
struct Voter {
  Voter() {
    store.turns().begin();
    store.chain().recover();
    members.link_up(voter_id(1));
    members.link_up(voter_id(2));
  }
  static chain::SealedHeader block(std::uint64_t height, std::int64_t sealed_at = 0) {
    chain::SealedHeader sealed;
    sealed.header.height = chain::Height{height};
    sealed.seal.sealed_at = {sealed_at};
    return sealed;
  }
  void apply(const chain::SealedHeader& sealed) {
    certifier.applied({sealed, chain::block_id(sealed), set, set, {}});
    certifier.follow_up();
  }
  [[nodiscard]] chain::SlotSignature signature_of(std::size_t voter,
                                                  const chain::SealedHeader& sealed) const {
    const auto& member = genesis.voters[voter];
    return {member.slot,
            sim::Signing(member.signing_key)
                .sign(chain::certified_statement(sealed.header, chain::block_id(sealed)))};
  }
  std::string hears(std::size_t voter, const chain::SealedHeader& sealed,
                    const chain::Certificate& signatures) {
    return certifier.said(voter_id(voter),
                          {sealed.header.height, chain::block_id(sealed), signatures});
  }
  // What was sent since it was asked last.
  std::vector<net::Signatures> sent() {
    std::vector<net::Signatures> result;
    for (const auto& effect : outbox.take().when_durable)
      result.push_back(std::get<net::Signatures>(std::get<Send>(effect).message));
    return result;
  }

  const chain::Genesis genesis = easy_genesis(3);
  store::MemoryStore store{genesis};
  chain::MembersRef set = members_of(genesis);
  Members members{set, voter_id(0)};
  Outbox outbox;
  sim::Signing signing{genesis.voters[0].signing_key};
  Certifier certifier{members, outbox, store.chain(), &signing};
};

}  // namespace

TEST_CASE("a voter signs what it applied and a second signature makes it final") {
  Voter voter;
  const auto first = Voter::block(1);
  voter.apply(first);
  const auto told = voter.sent();
  REQUIRE(told.size() == 1);
  CHECK(told[0].signatures == chain::Certificate{voter.signature_of(0, first)});
  CHECK(voter.certifier.certified() == chain::Height{0});
  CHECK(voter.hears(1, first, {voter.signature_of(1, first)}).empty());
  CHECK(voter.certifier.certified() == chain::Height{1});
  CHECK(voter.store.chain().signatures(chain::Height{1}).size() == 2);
}

TEST_CASE("a signature that comes before its block counts once the block is here") {
  Voter voter;
  const auto first = Voter::block(1);
  CHECK(voter.hears(1, first, {voter.signature_of(1, first)}).empty());
  CHECK(voter.certifier.certified() == chain::Height{0});
  voter.apply(first);
  CHECK(voter.certifier.certified() == chain::Height{1});
}

TEST_CASE("nobody's early word takes the place of a voter's own") {
  Voter voter;
  const auto first = Voter::block(1);
  CHECK(voter.hears(1, first, {voter.signature_of(1, first)}).empty());
  const auto lies = [&](const chain::SealedHeader& sealed) {
    chain::Certificate forged;
    for (std::size_t place = 0; place < 3; ++place) {
      forged.push_back(voter.signature_of(place, sealed));
      forged.back().signature.octets[3] ^= 1;
    }
    return voter.certifier.said(voter_id(7),
                                {sealed.header.height, chain::block_id(sealed), forged});
  };
  SUBCASE("on the same block") {
    CHECK(lies(first).empty());
  }
  SUBCASE("on another block") {
    CHECK(lies(Voter::block(1, 5)).empty());
  }
  SUBCASE("on blocks far ahead") {
    for (std::uint64_t height = 2; height < 20; ++height) CHECK(lies(Voter::block(height)).empty());
  }
  voter.apply(first);
  CHECK(voter.certifier.certified() == chain::Height{1});
}

TEST_CASE("what its member's key did not make, or is on another block, is refused and named") {
  Voter voter;
  const auto first = Voter::block(1);
  const auto other = Voter::block(1, 5);
  voter.apply(first);
  auto forged = voter.signature_of(1, first);
  forged.signature.octets[3] ^= 1;
  CHECK_FALSE(voter.hears(1, first, {forged}).empty());
  CHECK_FALSE(voter.hears(1, first, {{chain::Slot{9}, {}}}).empty());
  CHECK_FALSE(voter.hears(2, other, {voter.signature_of(2, other)}).empty());
  CHECK(voter.certifier.certified() == chain::Height{0});
  // The same lies told early do not count either.
  const auto second = Voter::block(2);
  auto early = voter.signature_of(1, second);
  early.signature.octets[3] ^= 1;
  CHECK(voter.hears(1, second, {early}).empty());
  CHECK(voter.hears(2, Voter::block(2, 5), {voter.signature_of(2, Voter::block(2, 5))}).empty());
  voter.apply(second);
  CHECK(voter.certifier.certified() == chain::Height{0});
}

TEST_CASE("who missed all signatures on the tip asks for them") {
  // A standby: it signs nothing, and all that it was told came too early for it.
  chain::MemberSet roles = *members_of(easy_genesis(3));
  roles.members[0].role = chain::MemberRole::kStandby;
  Voter standby;
  standby.set = std::make_shared<const chain::MemberSet>(std::move(roles));
  standby.members.update(standby.set);
  const auto first = Voter::block(1);
  standby.apply(first);
  CHECK(standby.sent().empty());
  standby.certifier.repeat();
  const auto asked = standby.sent();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0] == net::Signatures{chain::Height{1}, chain::block_id(first), {}});

  Voter voter;
  voter.apply(first);
  CHECK(voter.hears(1, first, {voter.signature_of(1, first)}).empty());
  (void)voter.sent();
  CHECK(voter.hears(2, first, {}).empty());
  CHECK(voter.sent().size() == 1);
  CHECK(standby.hears(1, first, {voter.signature_of(1, first), voter.signature_of(2, first)})
            .empty());
  CHECK(standby.certifier.certified() == chain::Height{1});
  standby.certifier.repeat();
  CHECK(standby.sent().empty());
}

TEST_CASE("whoever lacks a majority is sent it, whoever has it is left in peace") {
  Voter voter;
  const auto first = Voter::block(1);
  voter.apply(first);
  CHECK(voter.hears(1, first, {voter.signature_of(1, first)}).empty());
  std::ignore = voter.sent();
  CHECK(voter.hears(2, first, {voter.signature_of(2, first)}).empty());
  const auto told = voter.sent();
  REQUIRE(told.size() == 1);
  CHECK(told[0].signatures.size() == 3);
  CHECK(voter.hears(2, first, told[0].signatures).empty());
  CHECK(voter.sent().empty());
}

TEST_CASE("of several blocks in one turn the last is told, and it makes the others final") {
  Voter voter;
  for (std::uint64_t height = 1; height <= 3; ++height) {
    const auto sealed = Voter::block(height);
    voter.certifier.applied({sealed, chain::block_id(sealed), voter.set, voter.set, {}});
  }
  voter.certifier.follow_up();
  const auto told = voter.sent();
  REQUIRE(told.size() == 1);
  CHECK(told[0].height == chain::Height{3});
  CHECK(voter.hears(1, Voter::block(3), {voter.signature_of(1, Voter::block(3))}).empty());
  CHECK(voter.certifier.certified() == chain::Height{3});
}

TEST_CASE("a block that takes a vote away is final by those who keep theirs") {
  // Four voters, of whom two are gone for good; the block demotes one of these.
  const auto genesis = easy_genesis(4);
  const auto before = members_of(genesis);
  auto roles = *before;
  roles.members[3].role = chain::MemberRole::kObserver;
  const auto after = std::make_shared<const chain::MemberSet>(roles);
  const auto sealed = Voter::block(1);
  const auto signature_of = [&](std::size_t voter) {
    const auto& member = genesis.voters[voter];
    return chain::SlotSignature{
        member.slot, sim::Signing(member.signing_key)
                         .sign(chain::certified_statement(sealed.header, chain::block_id(sealed)))};
  };
  sim::Signing signing{genesis.voters[0].signing_key};
  const auto is_proof = [&](const chain::MemberSet& then, const chain::Certificate& certificate) {
    return chain::is_proven_by(signing, *before, then, sealed, chain::block_id(sealed),
                               certificate);
  };
  CHECK_FALSE(is_proof(*before, {signature_of(0), signature_of(1)}));
  CHECK(is_proof(*after, {signature_of(0), signature_of(1)}));
  CHECK(is_proof(*after, {signature_of(0), signature_of(1), signature_of(3)}));
  // Who has lost the vote is none of those who keep theirs, and nobody counts twice.
  CHECK_FALSE(is_proof(*after, {signature_of(0), signature_of(3)}));
  CHECK_FALSE(is_proof(*after, {signature_of(0), signature_of(0)}));
}

TEST_CASE("a restart signs the same again and stores nothing twice") {
  Voter voter;
  const auto first = Voter::block(1);
  voter.apply(first);
  const auto before = voter.sent();
  Certifier again(voter.members, voter.outbox, voter.store.chain(), &voter.signing);
  again.applied({first, chain::block_id(first), voter.set, voter.set, {}});
  again.follow_up();
  CHECK(voter.sent() == before);
  CHECK(voter.store.chain().signatures(chain::Height{1}).size() == 1);
}

TEST_CASE("a stored signature that does not hold is neither counted nor told, and is replaced") {
  Voter voter;
  const auto first = Voter::block(1);
  auto damaged = voter.signature_of(1, first);
  damaged.signature.octets[0] ^= 1;
  voter.store.chain().put_signature(chain::Height{1}, damaged);
  voter.apply(first);
  CHECK(voter.certifier.certified() == chain::Height{0});
  CHECK(voter.sent().at(0).signatures == chain::Certificate{voter.signature_of(0, first)});
  CHECK(voter.hears(1, first, {voter.signature_of(1, first)}).empty());
  CHECK(voter.certifier.certified() == chain::Height{1});
  CHECK(voter.store.chain().signatures(chain::Height{1}) ==
        chain::Certificate{voter.signature_of(0, first), voter.signature_of(1, first)});
}
