#include <fmt/format.h>

#include "node/api/json_text.h"
#include "node/genesis_json.h"
#include "tests/unit/node/api_order_fixture.h"

using namespace api_test;
using node::api::OrderRight;

namespace {

constexpr const char* kOperator = "spiffe://test/eventchain/test/client/operator";
const std::string kHash(64, 'b');

std::string invitation(std::string_view change = {}) {
  return fmt::format(R"({{"name": "n4", "role": "observer", "token_hash": "{}"{}}})", kHash,
                     change);
}

}  // namespace

TEST_CASE("orders are taken from operators alone where clients show certificates") {
  struct Case {
    OrderRight right;
    const char* principal;
    bool may_order;
  };
  const Case cases[] = {
      {OrderRight::kEverybody, "", true},
      {OrderRight::kNobody, "", false},
      {OrderRight::kNobody, kOperator, false},
      {OrderRight::kOperators, kOperator, true},
      {OrderRight::kOperators, "", false},
      {OrderRight::kOperators, "operator", false},
      {OrderRight::kOperators, "spiffe://test/eventchain/test/client/writer", false},
      {OrderRight::kOperators, "spiffe://test/eventchain/other/client/operator", false},
      {OrderRight::kOperators, "spiffe://other/eventchain/test/client/operator", false},
      {OrderRight::kOperators,
       "spiffe://test/eventchain/test/node/07000000000000000000000000000000", false},
  };
  struct Order {
    const char* method;
    std::string path;
    std::string body;
  };
  const Order orders[] = {
      {"POST", "/v1/members/invitations", invitation()},
      {"DELETE", "/v1/members/invitations/" + kHash, {}},
      {"POST", "/v1/members/n1/role", R"({"role": "standby"})"},
      {"PATCH", "/v1/members/n1", R"({"site": "west"})"},
      {"DELETE", "/v1/members/n1", {}},
      {"PUT", "/v1/cluster/policy", R"({"wanted": 3, "grace_ms": 60000})"},
      {"POST", "/v1/cluster/leader", R"({"to": "n1"})"},
  };
  for (const Case& one : cases) {
    for (const Order& order : orders) {
      CAPTURE(one.principal);
      CAPTURE(order.path);
      Fixture fixture(order_options(one.right));
      const auto answer = fixture.order(order.method, order.path, order.body, one.principal);
      CHECK(fixture.port.orders.size() == (one.may_order ? 1 : 0));
      CHECK((answer.status == 403) == !one.may_order);
      CHECK(contains(answer.body, "urn:eventchain:problem:forbidden") == !one.may_order);
    }
  }
}

TEST_CASE("an order bears the name of who gave it") {
  Fixture named(order_options(OrderRight::kOperators));
  named.order("DELETE", "/v1/members/n1", "", kOperator);
  REQUIRE(named.port.orders.size() == 1);
  CHECK(std::get<chain::MemberOrder>(named.port.orders[0]).by == "operator");
  Fixture open(order_options());
  open.order("DELETE", "/v1/members/n1", "");
  REQUIRE(open.port.orders.size() == 1);
  CHECK(std::get<chain::MemberOrder>(open.port.orders[0]).by.empty());
}

TEST_CASE("an invitation names who is meant and for how long") {
  Fixture fixture(order_options());
  fixture.port.order_answer.height = chain::Height{12};
  const auto answer = fixture.order("POST", "/v1/members/invitations",
                                    invitation(R"(, "site": "east", "valid_seconds": 60)"));
  CHECK(answer.status == 201);
  CHECK(text_at(answer, "/height") == "12");
  CHECK(text_at(answer, "/invitation/until") == "2023-11-14T22:14:20.000Z");
  const auto order = ordered<chain::Invite>(fixture);
  CHECK(order.invitation.name == "n4");
  CHECK(order.invitation.site == "east");
  CHECK(order.invitation.role == chain::MemberRole::kObserver);
  CHECK(order.invitation.token_hash == of_hex<chain::Hash>(kHash));
  CHECK(order.invitation.until == chain::UnixMillis{1'700'000'060'000});
}

TEST_CASE("orders whose form is wrong are refused by the name of the field") {
  struct Case {
    const char* method;
    const char* path;
    std::string body;
    const char* field;
  };
  const std::string role = R"("role": "observer")";
  const Case cases[] = {
      {"POST", "/v1/members/invitations", "{}", "name is missing"},
      {"POST", "/v1/members/invitations", "[]", "must be an object"},
      {"POST", "/v1/members/invitations", "nonsense", "the order"},
      {"POST", "/v1/members/invitations", invitation(R"(, "name": "n5")"), "twice"},
      {"POST", "/v1/members/invitations", invitation(R"(, "nmae": "n5")"), "'nmae'"},
      {"POST", "/v1/members/invitations", invitation(R"(, "site": "East")"), "site"},
      {"POST", "/v1/members/invitations", invitation(R"(, "site": 5)"), "site must be a string"},
      {"POST", "/v1/members/invitations", invitation(R"(, "valid_seconds": 59)"), "valid_seconds"},
      {"POST", "/v1/members/invitations", invitation(R"(, "valid_seconds": 3601)"),
       "valid_seconds"},
      {"POST", "/v1/members/invitations",
       R"({"name": "n4", "role": "voter", "token_hash": ")" + kHash + "\"}", "role"},
      {"POST", "/v1/members/invitations",
       R"({"name": "N4", "role": "light", "token_hash": ")" + kHash + "\"}", "name"},
      {"POST", "/v1/members/invitations", R"({"name": "n4", "role": "light", "token_hash": "ab"})",
       "token_hash"},
      {"DELETE", "/v1/members/invitations/ab", "", "token_hash"},
      {"POST", "/v1/members/n1/role", R"({"role": "king"})", "role"},
      {"POST", "/v1/members/n1/role", "{" + role + R"(, "x": 1})", "'x'"},
      {"PATCH", "/v1/members/n1", R"({"name": "n5"})", "'name'"},
      {"PATCH", "/v1/members/n1", R"({"peers_address": "nowhere"})", "peers_address"},
      {"PATCH", "/v1/members/n1", R"({"valid_until": "tomorrow"})", "valid_until"},
      {"PATCH", "/v1/members/n1", R"({"signing_key": "ec)" + std::string(60, 'f') + "7f\"}",
       "signing_key"},
      {"PATCH", "/v1/members/n1", R"({"valid_until": "2025-01-31T12:00:00+01:00"})", "valid_until"},
      {"PUT", "/v1/cluster/policy", R"({"wanted": 3})", "grace_ms"},
      {"PUT", "/v1/cluster/policy", R"({"wanted": 256, "grace_ms": 1})", "wanted"},
      {"PUT", "/v1/cluster/policy", R"({"wanted": 3, "grace_ms": -1})", "grace_ms"},
      {"POST", "/v1/cluster/leader", R"({"to": 5})", "to must be a string"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.body);
    Fixture fixture(order_options());
    const auto answer = fixture.order(one.method, one.path, one.body);
    CHECK(answer.status == 400);
    CAPTURE(answer.body);
    CHECK(contains(answer.body, one.field));
    CHECK(fixture.port.orders.empty());
  }
}

TEST_CASE("an order in another media type is not looked at") {
  Fixture fixture(order_options());
  const auto answer = fixture.post("/v1/members/invitations", "text/plain", invitation());
  CHECK(answer.status == 415);
  CHECK(fixture.port.orders.empty());
}

TEST_CASE("what the cluster makes of an order is told apart") {
  struct Case {
    net::OrderOutcome outcome;
    bool has_leader;
    int status;
    const char* problem;
  };
  const Case cases[] = {
      {net::OrderOutcome::kRefused, true, 409, "order-refused"},
      {net::OrderOutcome::kNotNow, true, 503, "not-now"},
      {net::OrderOutcome::kNotNow, false, 503, "not-ready"},
  };
  for (const Case& one : cases) {
    Fixture fixture(order_options());
    fixture.port.status.ready = one.has_leader;
    fixture.port.order_answer.outcome = one.outcome;
    fixture.port.order_answer.message = "because \xff of \"that\"";
    const auto answer = fixture.order("DELETE", "/v1/members/n1", "");
    CHECK(answer.status == one.status);
    CHECK(text_at(answer, "/type") == std::string("urn:eventchain:problem:") + one.problem);
    CHECK(text_at(answer, "/detail") == "because ? of \"that\"");
    CHECK(header_of(answer, "Retry-After").empty() == (one.status != 503));
  }
}

TEST_CASE("a member is named by its id or its name, an unknown one is told") {
  Fixture fixture(order_options());
  // A name may look like the id of another.
  auto odd = sample_member("07000000000000000000000000000000", 5);
  fixture.reader.member_set.members.push_back(odd);
  CHECK(fixture
            .order("POST", "/v1/members/07000000000000000000000000000000/role",
                   R"({"role": "standby"})")
            .status == 200);
  CHECK(ordered<chain::SetRole>(fixture).node == sample_genesis().voters[0].node);
  CHECK(ordered<chain::SetRole>(fixture).role == chain::MemberRole::kStandby);
  for (const char* unknown : {"nobody", "77000000000000000000000000000000"}) {
    const auto answer = fixture.order("DELETE", fmt::format("/v1/members/{}", unknown), "");
    CHECK(answer.status == 404);
    CHECK(contains(answer.body, "not-found"));
  }
  CHECK(fixture.port.orders.size() == 1);
}

TEST_CASE("a change of a member leaves alone what it does not name") {
  Fixture fixture(order_options());
  auto member = sample_member("n2", 2);
  member.site = "east";
  member.peers_address = "old:1";
  member.valid_until = {1'800'000'000'000};
  fixture.reader.member_set.members.push_back(member);
  CHECK(fixture
            .order("PATCH", "/v1/members/n2",
                   R"({"peers_address": "new:2", "valid_from": "2023-11-14T22:13:20Z",
                       "valid_until": ""})")
            .status == 200);
  member.peers_address = "new:2";
  member.valid_from = {1'700'000'000'000};
  member.valid_until = {};
  CHECK(ordered<chain::UpdateMember>(fixture).member == member);
}

TEST_CASE("leadership is handed to a member") {
  Fixture fixture(order_options());
  fixture.reader.member_set.members.push_back(sample_member("n2", 2));
  const auto answer = fixture.order("POST", "/v1/cluster/leader", R"({"to": "n2"})");
  CHECK(answer.status == 200);
  CHECK(text_at(answer, "/leader") == "02000000000000000000000000000000");
  REQUIRE(fixture.port.orders.size() == 1);
  const auto& order = std::get<net::TransferLeadership>(fixture.port.orders[0]);
  CHECK(order.to == sample_member("n2", 2).node);
}

TEST_CASE("policy and revocation reach the leader as they were written") {
  Fixture policy(order_options());
  policy.order("PUT", "/v1/cluster/policy", R"({"wanted": 5, "grace_ms": 60000})");
  CHECK(ordered<chain::SetVoterPolicy>(policy).policy == chain::VoterPolicy{5, 60'000});
  Fixture revocation(order_options());
  revocation.order("DELETE", "/v1/members/invitations/" + kHash, "");
  CHECK(ordered<chain::RevokeInvitation>(revocation).token_hash == of_hex<chain::Hash>(kHash));
}

TEST_CASE("the genesis file that a node hands out is the chain's") {
  Fixture fixture;
  const auto answer = fixture.get("/v1/genesis");
  CHECK(answer.status == 200);
  CHECK(answer.body == node::format_genesis(sample_genesis()));
}

TEST_CASE("times are read as they are written") {
  for (const std::int64_t millis : {0L, 1L, 951'782'400'000L, 1'700'000'000'123L}) {
    const auto text = node::api::rfc3339({millis});
    CAPTURE(text);
    CHECK(node::api::parse_rfc3339(text) == chain::UnixMillis{millis});
  }
  for (const char* wrong : {"", "2023-02-29T00:00:00Z", "2023-02-28T00:00:00", "2023-02-28",
                            "2023-02-28T00:00:00.5Z", "2023-02-28t00:00:00z"}) {
    CAPTURE(wrong);
    CHECK_FALSE(node::api::parse_rfc3339(wrong).has_value());
  }
}
