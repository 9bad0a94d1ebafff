#include "chain/members.h"

#include <doctest/doctest.h>

#include "chain/block.h"
#include "chain_fixture.h"
#include "golden_vectors.h"
#include "tests/unit/filled.h"

using namespace eventchain::chain;
using namespace eventchain::chain::testing;

namespace {

Member edge() {
  Member member{filled<NodeId>(0x41), filled<PublicKey>(0x42), Slot{7}, "edge-1", "b.1"};
  member.store = filled<StoreId>(0x43);
  member.role = MemberRole::kLight;
  member.peers_address = "host-1:7401";
  member.api_address = "[::1]:7400";
  member.valid_from = {1000};
  member.valid_until = {2000};
  return member;
}

Invitation invitation_of_n9() {
  return {filled<Hash>(0x31), MemberRole::kObserver, "n9", "b", {5000}};
}

MemberSet rich() {
  MemberSet set;
  set.members = {small_genesis().voters[0], edge()};
  set.invitations = {invitation_of_n9()};
  set.voters_since = Height{12};
  set.policy = {3, 60'000};
  set.feature_level = 2;
  return set;
}

}  // namespace

TEST_CASE("a member set is encoded as the golden vector says and read back") {
  CHECK(to_hex(encode_member_set(rich())) == golden_vector("member-set-rich"));
  const auto again = decode_member_set(encode_member_set(rich()));
  REQUIRE(again.has_value());
  CHECK(*again == rich());
}

TEST_CASE("a member set that is cut or longer is refused, wherever that happens") {
  const Bytes encoded = encode_member_set(rich());
  for (std::size_t size = 0; size < encoded.size(); ++size) {
    INFO("octets: " << size);
    CHECK_FALSE(decode_member_set(encoded.substr(0, size)).has_value());
  }
  CHECK_FALSE(decode_member_set(encoded + '\0').has_value());
}

TEST_CASE("every order is encoded as its golden vector says and read back") {
  const auto genesis = small_genesis();
  const NodeId node = filled<NodeId>(0x41);
  const JoinToken token = filled<JoinToken>(0x51);
  const std::pair<const char*, MemberOrder> orders[] = {
      {"order-invite", {"ann", Invite{invitation_of_n9()}}},
      {"order-revoke", {"ann", RevokeInvitation{filled<Hash>(0x31)}}},
      {"order-admit", {"ann", Admit{token, genesis.voters[1]}}},
      {"order-role", {"ann", SetRole{node, MemberRole::kVoter}}},
      {"order-update", {"ann", UpdateMember{genesis.voters[2]}}},
      {"order-remove", {"ann", RemoveMember{node}}},
      {"order-policy", {"ann", SetVoterPolicy{{5, 90'000}}}},
      {"order-feature", {"ann", RaiseFeatureLevel{2}}},
  };
  for (const auto& [name, order] : orders) {
    const char* const vector =
        name;  // INFO captures, which a structured binding cannot be in C++20
    INFO(vector);
    const Bytes encoded = encode_annex_item(order);
    CHECK(to_hex(encoded) == golden_vector(vector));
    const auto again = decode_annex_item(encoded);
    REQUIRE(again.has_value());
    CHECK(std::get<MemberOrder>(*again) == order);
    for (std::size_t size = 0; size < encoded.size(); ++size)
      CHECK_FALSE(decode_annex_item(encoded.substr(0, size)).has_value());
  }
  CHECK(to_hex(token_hash(token)) == golden_vector("token-hash"));
}

TEST_CASE("addresses are a host and a port, in one spelling") {
  for (const char* good : {"db-1.example:7401", "10.0.0.7:1", "[::1]:65535", "h:80"})
    CHECK(is_address(good));
  for (const char* bad : {"", "host", ":80", "host:", "host:0", "host:080", "host:65536", "host:-1",
                          "Host:80", "a b:80", "[::1:80", "::1:80", "host:8o", "[]:80"}) {
    INFO(bad);
    CHECK_FALSE(is_address(bad));
  }
}

TEST_CASE("a member is found by its slot and by its id, or not") {
  const MemberSet set = rich();
  CHECK(member_at(set, Slot{0})->name == "n1");
  CHECK(member_at(set, Slot{7})->name == "edge-1");
  CHECK(member_at(set, Slot{1}) == nullptr);
  CHECK(member_at(set, Slot{8}) == nullptr);
  CHECK(find_member(set, filled<NodeId>(0x41))->slot == Slot{7});
  CHECK(find_member(set, filled<NodeId>(0x40)) == nullptr);
  CHECK(count_voters(set) == 1);
}
