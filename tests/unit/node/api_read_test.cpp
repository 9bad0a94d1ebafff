#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <set>

#include "node/api/cloudevent_json.h"
#include "node/api/problem.h"
#include "tests/unit/node/api_fakes.h"

using namespace api_test;

namespace {

net::http::Request live_request(std::string target, std::string last_id = {}) {
  net::http::Request request;
  request.method = "GET";
  request.target = std::move(target);
  request.headers.push_back({"accept", "text/event-stream"});
  if (!last_id.empty()) request.headers.push_back({"last-event-id", std::move(last_id)});
  return request;
}

}  // namespace

TEST_CASE("a completed event is found by key and by source and id") {
  Fixture fixture;
  fixture.reader.place(sample_event("a", "s"));
  const std::string key = to_hex(chain::event_key("/test", "a"));
  const std::string place =
      R"("status":"completed","detail":"committed","position":"0","version":0,"height":"1")";
  const auto by_key = fixture.get("/v1/events/" + key);
  CHECK(by_key.status == 200);
  CHECK(by_key.body ==
        fmt::format(R"({{"key":"{}",{},"event":{{"specversion":"1.0","id":"a","source":"/test",)"
                    R"("subject":"s","type":"test.happened","data":{{"n": 1.0}}}}}})",
                    key, place));
  CHECK(fixture.get("/v1/events?source=%2Ftest&id=a").body == by_key.body);
  CHECK(fixture.get("/v1/events/" + key + "/status").body ==
        fmt::format(R"({{"key":"{}",{}}})", key, place));
}

TEST_CASE("an event on its way tells how far it has come") {
  Fixture fixture;
  const chain::EventKey key = chain::event_key("/test", "a");
  const std::string path = "/v1/events/" + to_hex(key) + "/status";
  auto unknown = fixture.get(path);
  CHECK(unknown.status == 404);
  CHECK(contains(unknown.body, "urn:eventchain:problem:not-found"));
  fixture.port.pending.emplace();
  fixture.port.pending->event =
      *chain::hold_event({}, chain::encode_body(sample_event("a", "s")), {});
  CHECK(contains(fixture.get(path).body, R"("status":"in-progress","detail":"received")"));
  fixture.port.pending->stage = chain::PendingStage::kDurable;
  CHECK(contains(fixture.get(path).body, R"("status":"in-progress","detail":"durable")"));
  CHECK(contains(fixture.get("/v1/events/" + to_hex(key)).body, R"("id":"a")"));
  fixture.port.pending.reset();
  auto& rejected = fixture.reader.lookups[key];
  rejected.state = store::EventLookup::State::kRejected;
  rejected.rejected = chain::RejectionReason::kVersionConflict;
  rejected.version = chain::StreamVersion{6};
  rejected.height = chain::Height{2};
  CHECK(contains(fixture.get(path).body,
                 R"("status":"rejected","detail":"version-conflict","version":6,"height":"2")"));
}

TEST_CASE("an event that is placed between two looks at it is not called unknown") {
  Fixture fixture;
  fixture.port.before_pending = [&] { fixture.reader.place(sample_event("a", "s")); };
  const auto answer = fixture.get("/v1/events/" + to_hex(chain::event_key("/test", "a")));
  CHECK(answer.status == 200);
  CHECK(contains(answer.body, R"("status":"completed")"));
}

TEST_CASE("requests that name nothing are refused with a remedy") {
  Fixture fixture;
  struct Case {
    const char* target;
    int status;
  };
  const Case cases[] = {
      {"/v1/events/xyz", 400},
      {"/v1/events/ABCDEF00000000000000000000000000", 400},
      {"/v1/events?source=a", 400},
      {"/v1/events?source=&id=", 400},
      {"/v1/log?from=-1", 400},
      {"/v1/log?from=99999999999999999999", 400},
      {"/v1/log?limit=0", 400},
      {"/v1/log?limit=1001", 400},
      {"/v1/log?lim=1", 400},
      {"/v1/blocks/first", 400},
      {"/v1/blocks/7", 404},
      {"/v1", 404},
      {"/", 404},
      {"/v1/events/", 404},
      {"/v1/log/", 404},
      {"/v2/log", 404},
      {"/v1/../v1/log", 404},
      {"http://x/v1/log", 400},
      {"v1/log", 400},
      {"/v1/log?%zz", 400},
      {"/%00", 404},
      {"*", 400},
  };
  for (const Case& one : cases) {
    CAPTURE(one.target);
    const auto answer = fixture.get(one.target);
    CHECK(answer.status == one.status);
    CHECK(answer.content_type == "application/problem+json");
    CHECK(header_of(answer, "EventChain-Position") == "0");
  }
  const auto wrong = fixture.post("/v1/log", "", "");
  CHECK(wrong.status == 405);
  CHECK(header_of(wrong, "Allow") == "GET");
}

TEST_CASE("listings go on where the last one ended") {
  Fixture fixture;
  for (int i = 0; i < 250; ++i)
    fixture.reader.place(sample_event(fmt::format("e{}", i), i % 2 == 0 ? "even" : "odd"));
  fixture.port.commit(250);

  const auto first = fixture.get("/v1/log");
  CHECK(contains(first.body, R"("next":"100","log_size":"250")"));
  CHECK(header_of(first, "EventChain-Position") == "250");
  const auto last = fixture.get("/v1/log?from=240&limit=1000");
  CHECK(contains(last.body, R"("position":"240")"));
  CHECK(contains(last.body, R"("next":"250")"));
  CHECK(contains(fixture.get("/v1/log?from=300").body, R"({"events":[],"next":"300")"));

  const auto stream = fixture.get("/v1/streams/odd?from=120&limit=3");
  CHECK(contains(stream.body, R"({"stream":"odd","version":124,"events":[{)"));
  CHECK(contains(stream.body, R"("position":"241","version":120)"));
  CHECK(contains(stream.body, R"("next":123})"));
  CHECK(contains(fixture.get("/v1/streams/nothing").body,
                 R"({"stream":"nothing","version":-1,"events":[],"next":0})"));
}

TEST_CASE("damaged data is not served") {
  Fixture fixture;
  fixture.reader.is_damaged = true;
  const auto answer = fixture.get("/v1/log");
  CHECK(answer.status == 500);
  CHECK(contains(answer.body, "urn:eventchain:problem:corrupt"));
}

TEST_CASE("the live log sends what is there and then every commit") {
  Fixture fixture;
  fixture.reader.place(sample_event("a"));
  fixture.reader.place(sample_event("b"));
  const auto client = fixture.send(live_request("/v1/log?from=1"));
  CHECK(client->answers == 0);
  CHECK(client->stream.content_type == "text/event-stream");
  CHECK(contains(client->sent, "id: 1\nevent: event\ndata: {\"key\":"));
  CHECK_FALSE(contains(client->sent, "id: 0\n"));
  fixture.reader.place(sample_event("c"));
  CHECK_FALSE(contains(client->sent, "id: 2\n"));
  fixture.port.commit(3);
  client->run();
  CHECK(contains(client->sent, "id: 2\nevent: event\n"));

  CHECK(fixture.port.subscribers.size() == 2);  // the API's own and this
  client->hang_up();
  CHECK(fixture.port.subscribers.size() == 1);
  fixture.port.commit(4);
  client->run();
}

TEST_CASE("a live reader that reconnects goes on behind the last event it saw") {
  Fixture fixture;
  for (const char* id : {"a", "b", "c"}) fixture.reader.place(sample_event(id));
  const auto client = fixture.send(live_request("/v1/log", "1"));
  CHECK_FALSE(contains(client->sent, "id: 1\n"));
  CHECK(contains(client->sent, "id: 2\n"));
  client->hang_up();
  CHECK(fixture.send(live_request("/v1/log", "x"))->answer.status == 400);
}

TEST_CASE("a slow live reader gets everything, in order, once it reads") {
  Fixture fixture;
  for (int i = 0; i < 100; ++i) fixture.reader.place(sample_event(fmt::format("e{}", i)));
  auto client = std::make_shared<FakeClient>();
  client->room = 0;  // one chunk at a time
  fixture.api->handle(live_request("/v1/log"), client);
  std::string all;
  for (int round = 0; round < 200; ++round) {
    all += std::exchange(client->sent, {});
    client->stream.on_room();
    client->run();
  }
  std::size_t at = 0;
  for (int i = 0; i < 100; ++i) {
    const std::size_t found = all.find(fmt::format("id: {}\n", i), at);
    REQUIRE(found != std::string::npos);
    at = found + 1;
  }
  client->hang_up();
}

TEST_CASE("a live reader keeps nothing that its connection did not take") {
  Fixture fixture;
  for (int i = 0; i < 100; ++i) fixture.reader.place(sample_event(fmt::format("e{}", i)));
  auto client = std::make_shared<FakeClient>();
  client->room = 0;
  fixture.api->handle(live_request("/v1/log"), client);
  client->sent.clear();
  const std::size_t reads = fixture.reader.log_reads;
  // The second piece was refused; it is read anew when there is room, and not before.
  fixture.port.commit(100);
  client->run();
  CHECK(client->sent.empty());
  CHECK(fixture.reader.log_reads == reads);
  fixture.reader.is_damaged = true;
  client->stream.on_room();
  CHECK(contains(client->sent, "event: problem"));
}

TEST_CASE("line breaks inside of data do not break the event stream") {
  Fixture fixture;
  auto event = sample_event("a");
  event.data = "{\n\"n\":\r\n1}";
  fixture.reader.place(event);
  const auto client = fixture.send(live_request("/v1/log"));
  CHECK(contains(client->sent, "\"data\":{\ndata: \"n\":\ndata: 1}}}\n\n"));
  client->hang_up();
}

TEST_CASE("a live log that meets damage says so and ends") {
  Fixture fixture;
  fixture.reader.is_damaged = true;
  const auto client = fixture.send(live_request("/v1/log"));
  CHECK(contains(client->sent, "event: problem\ndata: {\"detail\":\"position 0 is damaged\"}\n\n"));
  CHECK_FALSE(client->is_open());
}

TEST_CASE("blocks, headers, tips and members are told") {
  Fixture fixture;
  store::StoredBlock stored;
  stored.block.sealed = chain::genesis_block(sample_genesis());
  stored.block.sealed.header.height = chain::Height{3};
  stored.block.sealed.header.share_target.bits = 0x1e0fffff;
  stored.block.sealed.seal.shares.push_back({chain::nonce_high(chain::Slot{2}, 1, 5), 9});
  stored.block.content.entries.resize(1);
  stored.block.content.annex.emplace_back(
      chain::Rejection{{}, {}, chain::RejectionReason::kKeyTaken, chain::kEmptyStream});
  fixture.reader.blocks[chain::Height{3}] = stored;
  fixture.reader.tip_info.sealed = stored.block.sealed;
  fixture.reader.stale_blocks.push_back({stored.block.sealed, "another was decided"});
  fixture.port.status.working_on = chain::Height{4};
  fixture.port.status.shares_needed = 16;

  const auto block = fixture.get("/v1/blocks/3");
  CHECK(block.status == 200);
  CHECK(contains(block.body, R"({"height":"3","id":")"));
  CHECK(contains(block.body, R"("shares":[{"slot":2,"nonce":"000201000000000500000009"}])"));
  CHECK(contains(block.body, R"("kind":"rejection")"));
  CHECK(contains(block.body, R"("reason":"key-conflict")"));
  const auto headers = fixture.get("/v1/headers?from=1");
  CHECK(contains(headers.body, R"("height":"3")"));
  const auto tips = fixture.get("/v1/tips");
  CHECK(contains(tips.body, R"({"canonical":{"height":"3")"));
  CHECK(contains(tips.body, R"("stale":[{"reason":"another was decided")"));
  CHECK(contains(tips.body, R"("in_work":{"height":"4","shares_found":0,"shares_needed":16})"));
  const auto members = fixture.get("/v1/members");
  CHECK(contains(members.body, R"("name":"n1","site":"","role":"voter","slot":0)"));
  for (const auto& answer : {block, headers, tips, members, fixture.get("/v1/cluster")})
    CHECK(node::api::check_json(answer.body).has_value());
}

TEST_CASE("readiness is a known leader, liveness is an answer") {
  Fixture fixture;
  CHECK(fixture.get("/livez").status == 200);
  const auto waiting = fixture.get("/readyz");
  CHECK(waiting.status == 503);
  CHECK(contains(waiting.body, "urn:eventchain:problem:not-ready"));
  fixture.port.status.ready = true;
  CHECK(fixture.get("/readyz").status == 200);
}

TEST_CASE("metrics come as Prometheus text") {
  node::api::ApiOptions options;
  options.metrics = [](const node::NodeStatus& status) {
    return fmt::format("eventchain_height {}\n", status.height.value);
  };
  Fixture fixture(std::move(options));
  fixture.port.status.height = chain::Height{12};
  const auto answer = fixture.get("/metrics");
  CHECK(answer.body == "eventchain_height 12\n");
  CHECK(answer.content_type == "text/plain; version=0.0.4; charset=utf-8");
}

TEST_CASE("openapi.json describes every route and no other") {
  Fixture fixture;
  const auto answer = fixture.get("/openapi.json");
  REQUIRE(node::api::check_json(answer.body).has_value());
  const auto document = boost::json::parse(answer.body);
  std::set<std::string> described;
  for (const auto& [path, methods] : document.at("paths").as_object())
    for (const auto& [method, operation] : methods.as_object())
      described.insert(fmt::format("{} {}", std::string(method), std::string(path)));
  std::set<std::string> routed;
  for (auto [method, path] : node::api::route_names()) {
    std::transform(method.begin(), method.end(), method.begin(),
                   [](char c) { return static_cast<char>(c + ('a' - 'A')); });
    routed.insert(method + " " + path);
  }
  CHECK(described == routed);
  CHECK(routed.size() == node::api::route_names().size());
}

TEST_CASE("openapi.json names every kind of problem once") {
  using node::api::Problem;
  Fixture fixture;
  const auto answer = fixture.get("/openapi.json");
  const auto document = boost::json::parse(answer.body);
  std::multiset<std::string> described;
  for (const auto& type :
       document.at_pointer("/components/schemas/Problem/properties/type/enum").as_array())
    described.insert(std::string(type.as_string()));
  // What the server refuses before the API sees it.
  std::multiset<std::string> known = {"header-too-large",     "too-slow",    "overloaded",
                                      "too-many-connections", "expectation", "transfer-encoding",
                                      "http-version"};
  for (int kind = 0; kind <= static_cast<int>(Problem::kDiskFull); ++kind)
    known.insert(std::string(node::api::name_of(static_cast<Problem>(kind))));
  std::multiset<std::string> expected;
  for (const std::string& name : known) expected.insert("urn:eventchain:problem:" + name);
  CHECK(described == expected);
}

TEST_CASE("a linearizable read is read after the node has caught up") {
  Fixture fixture;
  // What was committed elsewhere arrives while the read waits.
  fixture.port.before_read = [&] { fixture.reader.place(sample_event("e1", "new")); };
  const auto answer = fixture.get("/v1/log?consistency=linearizable");
  CHECK(answer.status == 200);
  CHECK(contains(answer.body, R"("position":"0")"));
  CHECK(fixture.port.reads == 1);
  CHECK(fixture.get("/v1/log?consistency=local").status == 200);
  CHECK(fixture.get("/v1/log").status == 200);
  CHECK(fixture.port.reads == 1);
}

TEST_CASE("a linearizable read that nobody confirms says so and hands out nothing") {
  Fixture fixture;
  fixture.reader.place(sample_event("e1"));
  fixture.port.may_read = false;
  for (const char* path : {"/v1/log", "/v1/headers", "/v1/streams/s", "/v1/blocks/0"}) {
    CAPTURE(path);
    const auto answer = fixture.get(fmt::format("{}?consistency=linearizable", path));
    CHECK(answer.status == 503);
    CHECK(contains(answer.body, "not-ready"));
  }
}

TEST_CASE("a consistency that does not exist, or is asked of what has none, is refused") {
  Fixture fixture;
  CHECK(fixture.get("/v1/log?consistency=strong").status == 400);
  CHECK(fixture.get("/v1/cluster?consistency=linearizable").status == 400);
  CHECK(fixture.port.reads == 0);
}

TEST_CASE("each answer tells how old the state may be that it was made from") {
  Fixture fixture;
  CHECK(header_of(fixture.get("/v1/log"), "EventChain-Age") == "unknown");
  fixture.port.how_old = std::chrono::milliseconds(42);
  CHECK(header_of(fixture.get("/v1/log"), "EventChain-Age") == "42");
  CHECK(header_of(fixture.get("/nowhere"), "EventChain-Age") == "42");
}
