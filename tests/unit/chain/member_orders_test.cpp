#include "chain/member_orders.h"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>

#include "chain_fixture.h"

using namespace eventchain::chain;
using namespace eventchain::chain::testing;

namespace {

constexpr UnixMillis kNow{1'700'000'100'000};

JoinToken token_of(std::uint8_t number) {
  JoinToken token;
  token.octets[0] = number;
  return token;
}

NodeId node_of(std::uint8_t number) {
  NodeId node;
  node.octets[0] = number;
  node.octets[9] = 0xee;
  return node;
}

Invite invite(std::uint8_t number, MemberRole role = MemberRole::kStandby) {
  return {{token_hash(token_of(number)),
           role,
           "m" + std::to_string(number),
           "site-b",
           {kNow.value + 1000}}};
}

Admit admit(std::uint8_t number, Slot slot, MemberRole role = MemberRole::kStandby) {
  Member member;
  member.node = node_of(number);
  member.signing_key.octets[3] = number;
  member.slot = slot;
  member.name = "m" + std::to_string(number);
  member.site = "site-b";
  member.store.octets[5] = number;
  member.role = role;
  return {token_of(number), member};
}

// A set that changes block by block.
struct Changing {
  MembersRef set = std::make_shared<const MemberSet>(first_members(small_genesis()));
  Height height{0};
  UnixMillis time = kNow;

  // In one block; the message of the first refusal, or nothing.
  std::string block(std::vector<decltype(MemberOrder::what)> orders) {
    height = height.next();
    MemberChange change(set, height, time);
    std::string refusal;
    for (auto& order : orders) {
      const auto applied = change.apply({"test", std::move(order)});
      if (!applied && refusal.empty()) refusal = applied.error().message;
    }
    set = change.take();
    return refusal;
  }
  [[nodiscard]] const Member* find(std::uint8_t number) const {
    return find_member(*set, node_of(number));
  }
  [[nodiscard]] NodeId voter(std::size_t place) const { return small_genesis().voters[place].node; }
};

}  // namespace

TEST_CASE("whoever is invited may join once, with the token, as what he was invited for") {
  Changing one;
  CHECK(one.block({invite(4)}) == "");
  CHECK(one.set->invitations.size() == 1);
  CHECK(one.block({admit(5, Slot{3})}) != "");  // another's token
  CHECK(one.block({admit(4, Slot{3}, MemberRole::kObserver)}) != "");
  CHECK(one.block({admit(4, Slot{4})}) != "");  // not the lowest free slot
  CHECK(one.block({admit(4, Slot{3})}) == "");
  CHECK(one.find(4)->role == MemberRole::kStandby);
  CHECK(one.set->invitations.empty());
  CHECK(one.block({admit(4, Slot{4})}) != "");  // the token is used
}

TEST_CASE("an invitation ends when its time has run out, or it is revoked") {
  Changing one;
  CHECK(one.block({invite(4), invite(5)}) == "");
  one.time.value += 1001;
  CHECK(one.block({admit(4, Slot{3})}).find("run out") != std::string::npos);
  CHECK(one.set->invitations.size() == 2);  // a refusal changes nothing
  // The next order that is carried out sweeps up.
  CHECK(one.block({SetVoterPolicy{{3, 1000}}}) == "");
  CHECK(one.set->invitations.empty());
  CHECK(one.block({invite(6)}) != "");  // made for a time that is over
  one.time = kNow;
  CHECK(one.block({invite(6)}) == "");
  CHECK(one.block({RevokeInvitation{token_hash(token_of(6))}}) == "");
  CHECK(one.block({RevokeInvitation{token_hash(token_of(6))}}) != "");
  CHECK(one.block({admit(6, Slot{3})}) != "");
}

TEST_CASE("nobody joins as a voter, under a name in use, or with another's key, id or disk") {
  Changing one;
  CHECK(one.block({invite(4, MemberRole::kVoter)}) != "");
  auto named = invite(4);
  named.invitation.name = "n1";
  CHECK(one.block({named}) != "");
  CHECK(one.block({invite(4)}) == "");
  CHECK(one.block({invite(4)}) != "");  // invited already

  const Member voter = small_genesis().voters[1];
  const std::vector<std::function<void(Member&)>> thefts = {
      [&](Member& m) { m.signing_key = voter.signing_key; },
      [&](Member& m) { m.store = voter.store; },
      [&](Member& m) { m.node = voter.node; },
      // Raft would take it for the other.
      [&](Member& m) { std::copy_n(voter.node.octets.begin(), 8, m.node.octets.begin()); },
      [&](Member& m) { m.store = {}; },
      [&](Member& m) { m.peers_address = "nowhere"; },
  };
  for (const auto& theft : thefts) {
    Admit order = admit(4, Slot{3});
    theft(order.member);
    CHECK(one.block({order}) != "");
  }
  CHECK(one.block({admit(4, Slot{3})}) == "");

  // Nor by an invitation that no order can have made.
  MemberSet set = *one.set;
  set.invitations.push_back(invite(5, MemberRole::kVoter).invitation);
  one.set = std::make_shared<const MemberSet>(set);
  CHECK(one.block({admit(5, Slot{4}, MemberRole::kVoter)}).find("voter") != std::string::npos);
}

TEST_CASE("voters change one at a time, never to none and never to more than seven") {
  Changing one;
  for (std::uint8_t i = 4; i <= 8; ++i)
    CHECK(one.block({invite(i), admit(i, Slot{static_cast<std::uint16_t>(i - 1)})}) == "");
  CHECK(one.set->voters_since == Height{0});

  CHECK(one.block({SetRole{node_of(4), MemberRole::kVoter},
                   SetRole{node_of(5), MemberRole::kVoter}}) != "");
  CHECK(count_voters(*one.set) == 4);  // the first of the two was carried out
  CHECK(one.set->voters_since == one.height);
  CHECK(one.block({SetRole{node_of(5), MemberRole::kVoter},
                   SetRole{one.voter(0), MemberRole::kStandby}}) != "");
  CHECK(count_voters(*one.set) == 5);
  CHECK(one.block({SetRole{node_of(6), MemberRole::kVoter}}) == "");
  CHECK(one.block({SetRole{node_of(7), MemberRole::kVoter}}) == "");
  CHECK(one.block({SetRole{node_of(8), MemberRole::kVoter}}) != "");
  CHECK(one.block({SetRole{node_of(7), MemberRole::kVoter}}) != "");  // is one already

  std::size_t left = 7;
  for (std::size_t place = 0; place < 3; ++place) {
    CHECK(one.block({RemoveMember{one.voter(place)}}).find("demote") != std::string::npos);
    CHECK(one.block({SetRole{one.voter(place), MemberRole::kStandby}}) == "");
    CHECK(one.block({RemoveMember{one.voter(place)}}) == "");
    CHECK(count_voters(*one.set) == --left);
  }
  for (std::uint8_t i = 4; i <= 6; ++i)
    CHECK(one.block({SetRole{node_of(i), MemberRole::kObserver}}) == "");
  CHECK(one.block({SetRole{node_of(7), MemberRole::kStandby}}).find("last voter") !=
        std::string::npos);
  const Height before = one.set->voters_since;
  CHECK(one.block({RemoveMember{node_of(8)}}) == "");  // a standby: no matter of voters
  CHECK(one.set->voters_since == before);
}

TEST_CASE("a slot is given again after the block that freed it, not in it") {
  Changing one;
  CHECK(one.block({invite(4), admit(4, Slot{3})}) == "");
  CHECK(one.block({invite(5), RemoveMember{node_of(4)}, admit(5, Slot{3})}) != "");
  CHECK(one.find(4) == nullptr);
  CHECK(one.block({admit(5, Slot{3})}) == "");
  CHECK(one.find(5)->slot == Slot{3});
}

TEST_CASE("an update changes key, site, addresses and times, and nothing else") {
  Changing one;
  CHECK(one.block({invite(4), admit(4, Slot{3})}) == "");
  Member changed = *one.find(4);
  CHECK(one.block({UpdateMember{changed}}) != "");  // nothing would change
  changed.signing_key.octets[7] = 9;
  changed.site = "site-c";
  changed.api_address = "m4:7400";
  CHECK(one.block({UpdateMember{changed}}) == "");
  CHECK(*one.find(4) == changed);
  const std::vector<std::function<void(Member&)>> forbidden = {
      [](Member& m) { m.store.octets[0] = 77; }, [](Member& m) { m.slot = Slot{9}; },
      [](Member& m) { m.role = MemberRole::kVoter; }, [](Member& m) { m.name = "other"; },
      [](Member& m) { m.signing_key = small_genesis().voters[0].signing_key; }};
  for (const auto& change : forbidden) {
    Member wrong = changed;
    change(wrong);
    CHECK(one.block({UpdateMember{wrong}}) != "");
  }
  CHECK(*one.find(4) == changed);
}

TEST_CASE(
    "light members stay light, the feature level rises by one, the policy is 3, 5, 7 or none") {
  Changing one;
  CHECK(one.block({invite(4, MemberRole::kLight), admit(4, Slot{3}, MemberRole::kLight)}) == "");
  CHECK(one.block({SetRole{node_of(4), MemberRole::kObserver}}) != "");
  CHECK(one.block({SetRole{one.voter(0), MemberRole::kLight}}) != "");
  CHECK(one.block({RaiseFeatureLevel{3}}) != "");
  CHECK(one.block({RaiseFeatureLevel{1}}) != "");
  CHECK(one.block({RaiseFeatureLevel{2}}) == "");
  CHECK(one.block({SetVoterPolicy{{4, 0}}}) != "");
  CHECK(one.block({SetVoterPolicy{{5, 1000}}}) == "");
  CHECK(one.block({SetVoterPolicy{{0, 0}}}) == "");
}

TEST_CASE("there are at most so many standbys, whichever way they become it") {
  Changing one;
  for (std::size_t i = 0; i < kStandbysMax; ++i) {
    const auto number = static_cast<std::uint8_t>(10 + i);
    CHECK(one.block({invite(number), admit(number, Slot{static_cast<std::uint16_t>(3 + i)})}) ==
          "");
  }
  CHECK(one.block({invite(9)}) == "");
  CHECK(one.block({admit(9, Slot{3 + kStandbysMax})}).find("standbys") != std::string::npos);
  CHECK(one.block({SetRole{one.voter(0), MemberRole::kStandby}}) != "");
  CHECK(one.block({SetRole{one.voter(0), MemberRole::kObserver}}) == "");
  CHECK(one.block({SetRole{node_of(10), MemberRole::kVoter}}) == "");
  CHECK(one.block({admit(9, Slot{3 + kStandbysMax})}) == "");
}

TEST_CASE("whatever orders come, members stay distinct, voters between one and seven") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    Rng rng(seed);
    Changing one;
    for (int step = 0; step < 60; ++step) {
      const auto number = static_cast<std::uint8_t>(4 + rng.below(8));
      const MembersRef before = one.set;
      const auto role = static_cast<MemberRole>(1 + rng.below(4));
      const NodeId node = rng.chance(1, 4) ? one.voter(rng.below(3)) : node_of(number);
      std::vector<decltype(MemberOrder::what)> orders;
      for (std::uint64_t i = 1 + rng.below(3); i > 0; --i) {
        switch (rng.below(4)) {
          case 0:
            orders.emplace_back(invite(number, role));
            break;
          case 1: {
            MemberChange look(one.set, one.height, one.time);
            orders.emplace_back(admit(number, look.free_slot(), role));
            break;
          }
          case 2:
            orders.emplace_back(SetRole{node, role});
            break;
          default:
            orders.emplace_back(RemoveMember{node});
        }
      }
      one.block(std::move(orders));
      std::set<NodeId> nodes;
      std::set<Slot> slots;
      std::set<std::string> names;
      for (const Member& member : one.set->members) {
        nodes.insert(member.node);
        slots.insert(member.slot);
        names.insert(member.name);
        if (const Member* was = find_member(*before, member.node)) CHECK(was->slot == member.slot);
        const Member* had = member_at(*before, member.slot);
        if (had != nullptr) CHECK(had->node == member.node);
      }
      CHECK(nodes.size() == one.set->members.size());
      CHECK(slots.size() == nodes.size());
      CHECK(names.size() == nodes.size());
      const auto voters = count_voters(*one.set);
      CHECK(voters >= 1);
      CHECK(voters <= kVotersMax);
      const auto moved =
          std::max(voters, count_voters(*before)) - std::min(voters, count_voters(*before));
      CHECK(moved <= 1);
      CHECK(decode_member_set(encode_member_set(*one.set)) == *one.set);
    }
  }
}
