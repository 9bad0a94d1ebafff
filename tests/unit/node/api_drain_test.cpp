#include <doctest/doctest.h>

#include "tests/unit/node/api_order_fixture.h"

using namespace eventchain;
using namespace api_test;

TEST_CASE("a node drains, says how far it has come, and is undone") {
  Fixture fixture(order_options());
  fixture.port.status.ready = true;
  fixture.port.drain_status = {3, 2, false};
  CHECK(fixture.get("/readyz").status == 200);
  CHECK_FALSE(contains(fixture.get("/v1/cluster").body, "drain"));

  auto answer = fixture.order("POST", "/v1/node/drain", "{}");
  CHECK(answer.status == 200);
  CHECK(text_at(answer, "/state") == "draining");
  CHECK(text_at(answer, "/events") == "3");
  CHECK(text_at(answer, "/requests") == "2");
  CHECK(text_at(fixture.get("/v1/cluster"), "/drain/state") == "draining");
  answer = fixture.get("/readyz");
  CHECK(answer.status == 503);
  CHECK(text_at(answer, "/type") == "urn:eventchain:problem:draining");
  CHECK(header_of(answer, "Retry-After") == "1");

  fixture.port.status.drain = node::DrainStatus{0, 0, true};
  CHECK(text_at(fixture.get("/v1/cluster"), "/drain/state") == "drained");
  CHECK(fixture.get("/readyz").status == 503);

  answer = fixture.order("DELETE", "/v1/node/drain", "");
  CHECK(answer.status == 200);
  CHECK(text_at(answer, "/state") == "none");
  CHECK(fixture.get("/readyz").status == 200);
}

TEST_CASE("only operators have a node drained") {
  Fixture fixture(order_options(node::api::OrderRight::kNobody));
  CHECK(fixture.order("POST", "/v1/node/drain", "{}").status == 403);
  CHECK_FALSE(fixture.port.status.drain.has_value());
  fixture.port.status.drain = node::DrainStatus{};
  CHECK(fixture.order("DELETE", "/v1/node/drain", "").status == 403);
  CHECK(fixture.port.status.drain.has_value());
}

TEST_CASE("what is asked of a drain must be an empty object") {
  Fixture fixture(order_options());
  CHECK(fixture.order("POST", "/v1/node/drain", R"({"wait": true})").status == 400);
  CHECK(fixture.post("/v1/node/drain", "text/plain", "{}").status == 415);
  CHECK_FALSE(fixture.port.status.drain.has_value());
}

TEST_CASE("an event at a node that drains is sent to the others") {
  auto options = order_options();
  options.self = sample_genesis().voters[0].node;
  Fixture fixture(std::move(options));
  chain::Member self = fixture.reader.member_set.members[0];
  self.api_address = "here:8100";
  chain::Member other = sample_member("n2", 8);
  other.api_address = "there:8100";
  fixture.reader.member_set.members = {self, other, sample_member("n3", 9)};
  node::EventOutcome refused;
  refused.state = node::EventOutcome::State::kDraining;
  fixture.port.outcomes = {refused, refused};
  const std::string event = R"({"specversion": "1.0", "id": "1", "source": "/a", "type": "t"})";
  for (const bool is_batch : {false, true}) {
    const auto answer = is_batch ? fixture.post_batch("/v1/events", "[" + event + "]")
                                 : fixture.post_event("/v1/events", event);
    CHECK(answer.status == 503);
    CHECK(text_at(answer, "/type") == "urn:eventchain:problem:draining");
    CHECK(header_of(answer, "Retry-After") == "1");
    const auto nodes = boost::json::parse(answer.body).at("nodes").as_array();
    REQUIRE(nodes.size() == 1);
    CHECK(nodes[0].as_string() == "there:8100");
  }
}
