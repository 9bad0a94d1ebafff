#include <doctest/doctest.h>

#include "node/api/receipt_json.h"
#include "store/memory_store.h"
#include "tests/unit/node/api_fakes.h"
#include "tests/unit/receipt_store.h"

// Receipts over HTTP, from a store with a chain that was really signed.
namespace {

using api_test::FakeClient;
using api_test::FakePort;
using api_test::header_of;
namespace chain = eventchain::chain;
namespace net = eventchain::net;
namespace node = eventchain::node;

struct Served {
  explicit Served(const receipt_test::ReceiptChain& grown) : store(grown.state.genesis) {
    receipt_test::write_chain(store, grown);
    node::api::ApiOptions options;
    options.genesis = grown.state.genesis;
    api = std::make_unique<node::api::Api>(std::move(options), port, store);
  }

  net::http::Response get(std::string target) {
    net::http::Request request;
    request.method = "GET";
    request.target = std::move(target);
    const auto client = std::make_shared<FakeClient>();
    api->handle(std::move(request), client);
    client->run();
    REQUIRE(client->answers == 1);
    return client->answer;
  }
  net::http::Response receipt_of(std::uint64_t number, const std::string& query = {}) {
    return get("/v1/events/" + to_hex(receipt_test::event_of(number).facts.key) + "/receipt" +
               query);
  }

  eventchain::store::MemoryStore store;
  FakePort port;
  std::unique_ptr<node::api::Api> api;
};

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the receipt of a completed or rejected event is served and holds") {
  const auto grown = receipt_test::receipt_chain();
  Served served(grown);
  for (const std::uint64_t number : {1U, 17U, 19U, 104U, 108U}) {
    const auto answer = served.receipt_of(number);
    REQUIRE(answer.status == 200);
    CHECK(answer.content_type == "application/json");
    const auto receipt = node::api::parse_receipt(answer.body);
    REQUIRE_MESSAGE(receipt.has_value(), receipt.error().message);
    CHECK(receipt->shown->body == receipt_test::event_of(number).body);
    CHECK(chain::verify_receipt(*receipt, {grown.state.genesis, nullptr, {}}).is_proved());
  }
}

TEST_CASE("a receipt ends with the certificate, and leads to the log, that were asked for") {
  const auto grown = receipt_test::receipt_chain();
  Served served(grown);
  const auto own = node::api::parse_receipt(served.receipt_of(1, "?certificate=first").body);
  REQUIRE(own.has_value());
  CHECK_FALSE(own->newer.has_value());
  CHECK_FALSE(own->consistency.has_value());
  const auto newest =
      node::api::parse_receipt(served.receipt_of(1, "?certificate=newest&log_size=19").body);
  REQUIRE(newest.has_value());
  CHECK(newest->newer->sealed.header.height == chain::Height{11});
  CHECK(newest->consistency->size == 19);
  CHECK(served.receipt_of(1, "?certificate=none").status == 400);
  CHECK(served.receipt_of(1, "?log_size=x").status == 400);
  CHECK(served.receipt_of(1, "?log_size=20").status == 404);
  CHECK(served.get("/v1/events/12/receipt").status == 400);
}

TEST_CASE(
    "an event without a certificate has no receipt yet, and the answer says where it stands") {
  auto grown = receipt_test::receipt_chain();
  grown.add({.events = {20}, .signatures = {{2, 2}}});
  Served served(grown);
  CHECK(served.receipt_of(21).status == 404);
  const auto committed = served.receipt_of(20);
  CHECK(committed.status == 409);
  CHECK(header_of(committed, "Retry-After") == "1");
  CHECK(contains(committed.body, "urn:eventchain:problem:not-yet"));
  CHECK(contains(committed.body, R"("status":"completed","detail":"committed")"));
  served.port.pending.emplace();
  served.port.pending->event = receipt_test::event_of(21);
  served.port.pending->stage = chain::PendingStage::kDurable;
  const auto waiting = served.receipt_of(21);
  CHECK(waiting.status == 409);
  CHECK(contains(waiting.body, R"("status":"in-progress","detail":"durable")"));
}

TEST_CASE("the receipt of a block is served with what was asked for, and holds") {
  auto grown = receipt_test::receipt_chain();
  grown.add({.events = {20}, .signatures = {{2, 2}}});
  Served served(grown);
  for (const char* target : {"/v1/blocks/1/receipt", "/v1/blocks/9/receipt?certificate=newest"}) {
    const auto answer = served.get(target);
    REQUIRE(answer.status == 200);
    CHECK(answer.content_type == "application/json");
    const auto receipt = node::api::parse_receipt(answer.body);
    REQUIRE_MESSAGE(receipt.has_value(), receipt.error().message);
    CHECK(chain::is_of_block(*receipt));
    CHECK(chain::verify_receipt(*receipt, {grown.state.genesis, nullptr, {}}).is_proved());
  }
  const auto longer = node::api::parse_receipt(served.get("/v1/blocks/1/receipt?log_size=19").body);
  REQUIRE(longer.has_value());
  CHECK(longer->consistency->size == 19);
  const auto early = served.get("/v1/blocks/12/receipt");
  CHECK(early.status == 409);
  CHECK(contains(early.body, "urn:eventchain:problem:not-yet"));
  CHECK(header_of(early, "Retry-After") == "1");
  CHECK(served.get("/v1/blocks/0/receipt").status == 404);
  CHECK(served.get("/v1/blocks/13/receipt").status == 404);
  CHECK(served.get("/v1/blocks/x/receipt").status == 400);
  CHECK(served.get("/v1/blocks/1/receipt?certificate=none").status == 400);
  CHECK(served.get("/v1/blocks/1/receipt?log_size=-1").status == 400);
}

TEST_CASE("an event that is placed between two looks at it has its receipt") {
  const auto grown = receipt_test::receipt_chain();
  eventchain::store::MemoryStore store(grown.state.genesis);
  FakePort port;
  node::api::ApiOptions options;
  options.genesis = grown.state.genesis;
  node::api::Api api(std::move(options), port, store);
  port.before_pending = [&] { receipt_test::write_chain(store, grown); };
  net::http::Request request;
  request.method = "GET";
  request.target = "/v1/events/" + to_hex(receipt_test::event_of(1).facts.key) + "/receipt";
  const auto client = std::make_shared<FakeClient>();
  api.handle(std::move(request), client);
  client->run();
  CHECK(client->answer.status == 200);
}

TEST_CASE("what a bad disk has left proves nothing and does not leave") {
  const auto grown = receipt_test::receipt_chain();
  Served served(grown);
  served.store.damage_body(
      {grown.at(1).events[0].facts.key, grown.at(1).events[0].facts.commitment});
  const auto answer = served.receipt_of(1);
  CHECK(answer.status == 500);
  CHECK(contains(answer.body, "urn:eventchain:problem:corrupt"));
  CHECK(served.receipt_of(2).status == 200);
}
