// What a light member answers: what headers tell, and for the rest where to ask.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/unit/node/api_fakes.h"

using namespace api_test;

namespace {

node::api::ApiOptions light() {
  node::api::ApiOptions options;
  options.is_light = true;
  options.order_right = node::api::OrderRight::kEverybody;
  options.metrics = [](const node::NodeStatus&) {
    return std::string("eventchain_tip_height 4\n");
  };
  return options;
}

chain::Member member(const std::string& name, chain::MemberRole role, const std::string& address) {
  chain::Member made;
  made.name = name;
  made.role = role;
  made.api_address = address;
  return made;
}

}  // namespace

TEST_CASE("a light member refuses what needs events or orders, and names who can answer") {
  const std::vector<std::pair<const char*, const char*>> refused = {
      {"POST", "/v1/events"},
      {"GET", "/v1/events?source=a&id=b"},
      {"GET", "/v1/events/00112233445566778899aabbccddeeff"},
      {"GET", "/v1/events/00112233445566778899aabbccddeeff/status"},
      {"POST", "/v1/streams/s"},
      {"GET", "/v1/streams/s"},
      {"GET", "/v1/log"},
      {"GET", "/v1/blocks/1"},
      {"POST", "/v1/members"},
      {"PATCH", "/v1/members/n1"},
      {"DELETE", "/v1/members/n1"},
      {"POST", "/v1/members/n1/role"},
      {"POST", "/v1/members/invitations"},
      {"PUT", "/v1/cluster/policy"},
      {"POST", "/v1/cluster/leader"},
      {"GET", "/v1/headers?consistency=linearizable"},
      {"GET", "/v1/members?consistency=linearizable"},
  };
  Fixture fixture(light());
  fixture.reader.member_set.members = {
      member("n1", chain::MemberRole::kVoter, "10.0.0.1:8100"),
      member("n2", chain::MemberRole::kVoter, ""),
      member("n3", chain::MemberRole::kObserver, "10.0.0.3:8100"),
      member("l1", chain::MemberRole::kLight, "10.0.0.9:8100"),
  };
  for (const auto& one : refused) {
    INFO(one.first, " ", one.second);
    const auto answer = fixture.order(one.first, one.second, "{}");
    CHECK(answer.status == 421);
    CHECK(contains(answer.body, "urn:eventchain:problem:light-member"));
    CHECK(contains(answer.body, "n1 at 10.0.0.1:8100, n3 at 10.0.0.3:8100"));
    CHECK_FALSE(contains(answer.body, "10.0.0.9"));
  }
  CHECK(fixture.port.submits == 0);
  CHECK(fixture.port.orders.empty());
  CHECK(fixture.port.reads == 0);
}

TEST_CASE("a light member tells what headers tell") {
  Fixture fixture(light());
  fixture.port.status.is_light = true;
  fixture.port.status.ready = true;
  fixture.port.status.height = chain::Height{4};
  for (const char* target :
       {"/v1/headers", "/v1/tips", "/v1/members", "/v1/genesis", "/v1/node",
        "/v1/members?consistency=local", "/livez", "/readyz", "/metrics", "/openapi.json"}) {
    INFO(target);
    CHECK(fixture.get(target).status == 200);
  }
  const auto cluster = fixture.get("/v1/cluster");
  CHECK(contains(cluster.body, R"("role":"light")"));
  CHECK(contains(cluster.body, R"("height":"4")"));
  fixture.port.status.ready = false;
  const auto waiting = fixture.get("/readyz");
  CHECK(waiting.status == 503);
  CHECK(contains(waiting.body, "linked"));
}

TEST_CASE("what is no path or no parameter is that at a light member, too") {
  Fixture fixture(light());
  CHECK(fixture.get("/v1/nothing").status == 404);
  CHECK(fixture.get("/v1/headers?form=1").status == 400);
  CHECK(fixture.get("/v1/headers?consistency=some").status == 400);
}
