#include <fmt/format.h>

#include "tests/unit/node/api_order_fixture.h"

using namespace api_test;
using node::api::OrderRight;

namespace {

const std::string kToken(64, 'a');

std::string joining(std::string_view change = {}) {
  return fmt::format(R"({{"token": "{}", "node": "{}", "store": "{}", "signing_key": "{}"{}}})",
                     kToken, std::string(32, '1'), std::string(32, '2'), std::string(64, '3'),
                     change);
}

chain::Invitation open_invitation() {
  chain::Invitation open;
  open.token_hash = chain::token_hash(of_hex<chain::JoinToken>(kToken));
  open.name = "n4";
  open.site = "east";
  open.role = chain::MemberRole::kStandby;
  open.until = {1'700'000'060'000};
  return open;
}

}  // namespace

TEST_CASE("who joins becomes what the token's invitation says") {
  // Nobody's name: to join needs the token alone.
  auto chosen = order_options(OrderRight::kOperators);
  chosen.peers_ca = [] { return std::string("-----BEGIN CERTIFICATE-----\nca\n"); };
  Fixture fixture(std::move(chosen));
  fixture.port.order_answer.height = chain::Height{9};
  // The invitation was committed through another node and arrives while this one catches up.
  fixture.port.before_read = [&] {
    fixture.reader.member_set.invitations.push_back(open_invitation());
  };
  const auto answer = fixture.order(
      "POST", "/v1/members", joining(R"(, "peers_address": "db4:7100", "csr": "-----BEGIN ")"));
  CHECK(answer.status == 201);
  CHECK(text_at(answer, "/height") == "9");
  CHECK(text_at(answer, "/member/name") == "n4");
  CHECK(contains(text_at(answer, "/ca"), "BEGIN CERTIFICATE"));
  // Nobody makes certificates here, which is no failure.
  CHECK_FALSE(contains(answer.body, "certificate_error"));
  const auto order = ordered<chain::Admit>(fixture);
  CHECK(order.token == of_hex<chain::JoinToken>(kToken));
  CHECK(order.member.name == "n4");
  CHECK(order.member.site == "east");
  CHECK(order.member.role == chain::MemberRole::kStandby);
  CHECK(order.member.node == of_hex<chain::NodeId>(std::string(32, '1')));
  CHECK(order.member.store == of_hex<chain::StoreId>(std::string(32, '2')));
  CHECK(order.member.signing_key == of_hex<chain::PublicKey>(std::string(64, '3')));
  CHECK(order.member.peers_address == "db4:7100");
  CHECK(order.member.api_address.empty());
}

TEST_CASE("the slot that a new member is told is the one that the leader gave it") {
  Fixture fixture(order_options());
  fixture.reader.member_set.invitations.push_back(open_invitation());
  auto admitted = sample_member("n4", 4);
  admitted.node = of_hex<chain::NodeId>(std::string(32, '1'));
  admitted.slot.value = 17;
  fixture.reader.member_set.members.push_back(admitted);
  const auto answer = fixture.order("POST", "/v1/members", joining());
  CHECK(boost::json::parse(answer.body).at_pointer("/member/slot").as_int64() == 17);
}

TEST_CASE("a token of no open invitation is refused before anybody is asked") {
  Fixture fixture(order_options());
  const auto answer = fixture.order("POST", "/v1/members", joining());
  CHECK(answer.status == 409);
  CHECK(contains(answer.body, "order-refused"));
  CHECK(fixture.port.orders.empty());
}

TEST_CASE("a node that cannot catch up admits nobody") {
  Fixture fixture(order_options());
  fixture.reader.member_set.invitations.push_back(open_invitation());
  fixture.port.may_read = false;
  CHECK(fixture.order("POST", "/v1/members", joining()).status == 503);
  CHECK(fixture.port.orders.empty());
}

TEST_CASE("a certificate is made once the admission stands, and its failure does not undo that") {
  const std::string csr = R"(, "csr": "-----BEGIN CERTIFICATE REQUEST-----\n")";
  struct Case {
    net::OrderOutcome outcome;
    chain::Result<std::string> made;
    std::size_t times;
    int status;
    const char* says;
  };
  const Case cases[] = {
      {net::OrderOutcome::kDone, std::string("made"), 1, 201, R"("certificate":"made")"},
      {net::OrderOutcome::kDone, chain::fail(chain::ErrorCode::kUnavailable, "ca is away"), 1, 201,
       R"("certificate_error":"ca is away")"},
      {net::OrderOutcome::kRefused, std::string("made"), 0, 409, "order-refused"},
  };
  for (const Case& one : cases) {
    std::vector<node::api::CertificateWanted> wanted;
    auto chosen = order_options();
    chosen.issue_certificate = [&](node::api::CertificateWanted request, auto done) {
      wanted.push_back(std::move(request));
      done(one.made);
    };
    Fixture fixture(std::move(chosen));
    fixture.reader.member_set.invitations.push_back(open_invitation());
    fixture.port.order_answer.outcome = one.outcome;
    const auto answer = fixture.order("POST", "/v1/members", joining(csr));
    CHECK(answer.status == one.status);
    CHECK(contains(answer.body, one.says));
    REQUIRE(wanted.size() == one.times);
    if (wanted.empty()) continue;
    CHECK(wanted[0].name == "n4");
    CHECK(to_hex(wanted[0].node) == std::string(32, '1'));
    CHECK(wanted[0].request == "-----BEGIN CERTIFICATE REQUEST-----\n");
  }
}

TEST_CASE("a join whose form is wrong is refused by the name of the field") {
  const std::pair<std::string, const char*> cases[] = {
      {joining(R"(, "csr": "no PEM")"), "csr"},
      {fmt::format(R"({{"token": "{}", "node": "{}", "store": "{}", "signing_key": "01{}"}})",
                   kToken, std::string(32, '1'), std::string(32, '2'), std::string(62, '0')),
       "small order"},
      {joining(R"(, "csr": "-----BEGIN \u00e9")"), "csr"},
      {joining(R"(, "csr": "-----BEGIN )" + std::string(16'384, 'x') + "\""), "csr"},
      {joining(R"(, "name": "n9")"), "'name'"},
      {R"({"token": "xy"})", "token"},
      {joining(R"(, "peers_address": "nowhere")"), "peers_address"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.first);
    Fixture fixture(order_options());
    fixture.reader.member_set.invitations.push_back(open_invitation());
    const auto answer = fixture.order("POST", "/v1/members", one.first);
    CHECK(answer.status == 400);
    CHECK(contains(answer.body, one.second));
    CHECK(fixture.port.orders.empty());
  }
}
