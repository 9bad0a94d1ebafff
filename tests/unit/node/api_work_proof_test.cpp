#include <doctest/doctest.h>

#include "node/api/work_proof_json.h"
#include "store/memory_store.h"
#include "tests/unit/node/api_fakes.h"
#include "tests/unit/receipt_store.h"

// Work proofs over HTTP, from a store with a chain that was really worked for and signed.
namespace {

using api_test::FakeClient;
using api_test::FakePort;
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

  net::http::Response get(std::string query) {
    net::http::Request request;
    request.method = "GET";
    request.target = "/v1/work-proof" + std::move(query);
    const auto client = std::make_shared<FakeClient>();
    api->handle(std::move(request), client);
    client->run();
    REQUIRE(client->answers == 1);
    return client->answer;
  }

  eventchain::store::MemoryStore store;
  FakePort port;
  std::unique_ptr<node::api::Api> api;
};

}  // namespace

TEST_CASE("a work proof is served with the parameters asked for, and holds") {
  const auto grown = receipt_test::receipt_chain();
  Served served(grown);
  struct Story {
    const char* query;
    chain::WorkSampling sampling;
  };
  for (const Story& story :
       {Story{"", {}}, Story{"?percent=90&bits=8&last=2", {chain::WorkShare::kNineTenths, 8, 2}},
        Story{"?bits=64&last=1024", {chain::WorkShare::kHalf, 64, 1024}}}) {
    INFO(story.query);
    const auto answer = served.get(story.query);
    REQUIRE_MESSAGE(answer.status == 200, answer.body);
    CHECK(answer.content_type == "application/json");
    const auto proof = node::api::parse_work_proof(answer.body);
    REQUIRE_MESSAGE(proof.has_value(), proof.error().message);
    CHECK(proof->sampling == story.sampling);
    CHECK(chain::verify_work_proof(*proof, {grown.state.genesis, nullptr, story.sampling})
              .is_proved());
  }
}

TEST_CASE("parameters that no work proof has are refused") {
  const auto grown = receipt_test::receipt_chain();
  Served served(grown);
  for (const char* query : {"?percent=51", "?percent=0", "?bits=0", "?bits=65", "?last=0",
                            "?last=1025", "?bits=x", "?bits=", "?bits=-1", "?work=1"}) {
    INFO(query);
    CHECK(served.get(query).status == 400);
  }
}

TEST_CASE("a chain without work, and one without a certificate, say that they have no work proof") {
  const auto idle = receipt_test::receipt_chain(chain::WorkFunction::kNone);
  const auto none = Served(idle).get("");
  CHECK(none.status == 404);
  CHECK(none.body.find("no work to prove") != std::string::npos);
  receipt_test::ReceiptChain young(receipt_test::receipt_genesis());
  young.add({.events = {1}});
  const auto early = Served(young).get("");
  CHECK(early.status == 409);
  CHECK(early.body.find("not-yet") != std::string::npos);
}
