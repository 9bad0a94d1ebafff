#include <fmt/format.h>

#include "tests/unit/node/api_fakes.h"

using namespace api_test;
using State = node::EventOutcome::State;

namespace {

std::string event_json(std::string_view id, std::string_view rest = "") {
  return fmt::format(R"({{"specversion":"1.0","id":"{}","source":"/s","type":"t"{}}})", id, rest);
}

node::EventOutcome outcome(State state) {
  node::EventOutcome result;
  result.state = state;
  return result;
}

}  // namespace

TEST_CASE("one event is accepted with its key and where to find it") {
  Fixture fixture;
  const auto answer = fixture.post_event("/v1/events", event_json("7", R"(,"data":{"a": 1})"));
  CHECK(answer.status == 202);
  REQUIRE(fixture.port.submitted.size() == 1);
  const auto& held = fixture.port.submitted[0];
  const std::string key = to_hex(chain::event_key("/s", "7"));
  CHECK(to_hex(held.facts.key) == key);
  CHECK(held.salt.octets[0] == 1);
  const auto event = chain::decode_body(held.body);
  REQUIRE(event.has_value());
  CHECK(event->data == R"({"a": 1})");
  CHECK(answer.body ==
        fmt::format(R"({{"key":"{}","status":"in-progress","detail":"durable"}})", key));
  CHECK(header_of(answer, "Location") == "/v1/events/" + key);
  CHECK(header_of(answer, "EventChain-Position") == "0");
  CHECK(fixture.port.waited_for == node::WaitFor::kDurable);
  CHECK(fixture.port.waited == std::chrono::seconds(30));
}

TEST_CASE("the client says how far and how long to wait") {
  Fixture fixture;
  fixture.post("/v1/events?wait=received", "application/cloudevents+json", event_json("1"),
               {{"prefer", "return=minimal, wait=5"}});
  CHECK(fixture.port.waited_for == node::WaitFor::kReceived);
  CHECK(fixture.port.waited == std::chrono::seconds(5));
  fixture.post("/v1/events?wait=completed", "application/cloudevents+json", event_json("1"),
               {{"prefer", "wait=1000000"}});
  CHECK(fixture.port.waited_for == node::WaitFor::kCompleted);
  CHECK(fixture.port.waited == std::chrono::seconds(60));

  fixture.post_event("/v1/events?wait=final", event_json("1"));
  CHECK(fixture.port.waited_for == node::WaitFor::kFinal);
  CHECK(fixture.post_event("/v1/events?wait=forever", event_json("1")).status == 400);
  CHECK(fixture.post_event("/v1/events?weit=durable", event_json("1")).status == 400);
  CHECK(fixture.post_event("/v1/events?wait=durable&wait=received", event_json("1")).status == 400);
  CHECK(fixture.port.submits == 3);
}

TEST_CASE("a completed event tells its place") {
  Fixture fixture;
  auto completed = outcome(State::kCompleted);
  completed.position = chain::Position{9'007'199'254'740'993};
  completed.version = chain::StreamVersion{3};
  completed.height = chain::Height{5};
  fixture.port.outcomes = {completed};
  auto answer = fixture.post_event("/v1/events?wait=completed", event_json("1"));
  CHECK(answer.status == 201);
  CHECK(contains(answer.body, R"("position":"9007199254740993","version":3,"height":"5")"));
  // Asked for less: it was there already.
  answer = fixture.post_event("/v1/events", event_json("1"));
  CHECK(answer.status == 200);
}

TEST_CASE("a wait that ran out is no error and says how far the event has come") {
  Fixture fixture;
  fixture.port.reached = false;
  fixture.port.outcomes = {outcome(State::kReceived)};
  const auto answer = fixture.post_event("/v1/events?wait=completed", event_json("1"));
  CHECK(answer.status == 202);
  CHECK(contains(answer.body, R"("status":"in-progress","detail":"received")"));
}

TEST_CASE("refusals are problem documents of stable types") {
  struct Case {
    node::EventOutcome outcome;
    int status;
    const char* type;
    const char* says;
  };
  auto conflict = outcome(State::kVersionConflict);
  conflict.version = chain::StreamVersion{41};
  auto empty = outcome(State::kVersionConflict);
  empty.version = chain::kEmptyStream;
  auto rejected = outcome(State::kRejected);
  rejected.rejection = chain::RejectionReason::kKeyTaken;
  auto late = outcome(State::kRejected);
  late.rejection = chain::RejectionReason::kExpectationExpired;
  late.version = chain::StreamVersion{2};
  const Case cases[] = {
      {conflict, 409, "version-conflict", R"("version":41)"},
      {empty, 409, "version-conflict", R"("version":-1)"},
      {late, 409, "version-conflict", "not reached in time"},
      {rejected, 409, "key-conflict", "other content"},
      {outcome(State::kKeyConflict), 409, "key-conflict", "other content"},
      {outcome(State::kPoolFull), 429, "pool-full", "try again"},
      {outcome(State::kDiskFull), 507, "disk-full", "disk"},
  };
  for (const Case& one : cases) {
    Fixture fixture;
    fixture.port.outcomes = {one.outcome};
    const auto answer = fixture.post_event("/v1/events", event_json("1"));
    CHECK(answer.status == one.status);
    CHECK(answer.content_type == "application/problem+json");
    CHECK(contains(answer.body, fmt::format(R"("type":"urn:eventchain:problem:{}")", one.type)));
    CHECK(contains(answer.body, one.says));
    CHECK(header_of(answer, "Retry-After") == (one.status == 429 ? "1" : ""));
    CHECK(header_of(answer, "EventChain-Position") == "0");
  }
}

TEST_CASE("a batch answers for each of its events") {
  Fixture fixture;
  const std::string batch =
      "[" + event_json("1") + "," + event_json("2") + "," + event_json("3") + "]";
  auto answer = fixture.post_batch("/v1/events", batch);
  CHECK(answer.status == 202);
  CHECK(fixture.port.submitted.size() == 3);
  CHECK(contains(answer.body, R"({"accepted":3,"events":[{"key":")"));

  auto conflict = outcome(State::kVersionConflict);
  conflict.version = chain::StreamVersion{4};
  fixture.port.outcomes = {conflict, outcome(State::kDurable), outcome(State::kPoolFull)};
  answer = fixture.post_batch("/v1/events", batch);
  CHECK(answer.status == 429);
  CHECK(contains(answer.body, "2 of 3 events were refused and 1 accepted"));
  CHECK(contains(answer.body, R"("detail":"version-conflict","version":4)"));
  CHECK(contains(answer.body, R"("status":"in-progress","detail":"durable")"));

  fixture.port.outcomes.assign(3, outcome(State::kCompleted));
  CHECK(fixture.post_batch("/v1/events?wait=completed", batch).status == 201);
}

TEST_CASE("binary mode takes attributes from headers and data from the body") {
  Fixture fixture;
  const std::vector<net::http::Header> headers = {
      {"ce-specversion", "1.0"},       {"ce-id", "1"},
      {"ce-source", "/caf%C3%A9%20x"}, {"ce-type", "t"},
      {"ce-expectedversion", "-1"},    {"content-length", "3"},
  };
  CHECK(fixture.post("/v1/events", "application/json", "[1 ]", headers).status == 202);
  auto event = chain::decode_body(fixture.port.submitted.at(0).body);
  REQUIRE(event.has_value());
  CHECK(event->source() == "/caf\xc3\xa9 x");
  CHECK(event->expected_version() == chain::kEmptyStream);
  CHECK(event->text("datacontenttype") == "application/json");
  CHECK(event->data_kind == chain::DataKind::kJson);
  CHECK(event->data == "[1 ]");

  CHECK(fixture.post("/v1/events", "image/png", std::string("\x00\xff", 2), headers).status == 202);
  event = chain::decode_body(fixture.port.submitted.at(0).body);
  CHECK(event->data_kind == chain::DataKind::kBinary);
  CHECK(event->data == std::string("\x00\xff", 2));

  CHECK(fixture.post("/v1/events", "", "", headers).status == 202);
  event = chain::decode_body(fixture.port.submitted.at(0).body);
  CHECK(event->data_kind == chain::DataKind::kNone);

  const auto with = [&](net::http::Header extra) {
    auto changed = headers;
    changed.push_back(std::move(extra));
    return fixture.post("/v1/events", "application/json", "1", changed).status;
  };
  CHECK(with({"ce-id", "2"}) == 422);
  CHECK(with({"ce-specversion", "1.0"}) == 422);
  CHECK(with({"ce-ext", "%zz"}) == 422);
  CHECK(with({"ce-ext", "%ff"}) == 422);
  CHECK(with({"ce-datacontenttype", "x"}) == 422);
  CHECK(with({"ce-anattributewithalongname", "x"}) == 422);
  CHECK(with({"ce-UPPER", "x"}) == 422);
  CHECK(fixture.post("/v1/events", "application/vnd.x+json", "{", headers).status == 400);
  auto no_number = headers;
  no_number[4].value = "soon";
  CHECK(fixture.post("/v1/events", "application/json", "1", no_number).status == 422);
}

TEST_CASE("a post to a stream sets the stream and what it expects") {
  Fixture fixture;
  auto answer = fixture.post_batch("/v1/streams/order%2F7?expectedversion=4",
                                   "[" + event_json("1") + "," + event_json("2") + "]");
  CHECK(answer.status == 202);
  REQUIRE(fixture.port.submitted.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(fixture.port.submitted[i].facts.stream == chain::stream_key("order/7"));
    CHECK(fixture.port.submitted[i].facts.expected ==
          chain::StreamVersion{4 + static_cast<std::int64_t>(i)});
  }
  CHECK(fixture.post_event("/v1/streams/a?expectedversion=-1", event_json("1")).status == 202);
  CHECK(fixture.port.submitted[0].facts.expected == chain::kEmptyStream);
  CHECK(fixture.post_event("/v1/streams/a", event_json("1", R"(,"stream":"a")")).status == 202);
  CHECK(fixture.port.submitted[0].facts.expected == std::nullopt);

  CHECK(fixture.post_event("/v1/streams/a", event_json("1", R"(,"stream":"b")")).status == 422);
  CHECK(
      fixture
          .post_event("/v1/streams/a?expectedversion=1", event_json("1", R"(,"expectedversion":1)"))
          .status == 422);
  for (const char* bad : {"-2", "x", "", "99999999999", "2147483648", "+1", "01"})
    CHECK(fixture.post_event(fmt::format("/v1/streams/a?expectedversion={}", bad), event_json("1"))
              .status == 400);
  CHECK(fixture.post_event("/v1/streams/", event_json("1")).status == 404);
}

TEST_CASE("events that break a rule never reach the core") {
  Fixture fixture;
  struct Case {
    std::string type;
    std::string body;
    int status;
    const char* says;
  };
  const std::string one = "application/cloudevents+json";
  const std::string many = "application/cloudevents-batch+json";
  const Case cases[] = {
      {one, "{", 400, "malformed-event"},
      {one, R"({"specversion":"1.0"})", 422, "attribute 'id' is missing"},
      {one, event_json("1", R"(,"time":"yesterday")"), 422, "attribute 'time'"},
      {one, event_json("1", R"(,"Upper":"x")"), 422, "attribute 'Upper'"},
      {one, event_json("1", R"(,"subject":"\u0000")"), 422, "attribute 'subject'"},
      {one, event_json("1", R"(,"expectedversion":-2)"), 422, "attribute 'expectedversion'"},
      {one, event_json("1", R"(,"expectedversion":"1")"), 422, "attribute 'expectedversion'"},
      {one, event_json(std::string(1025, 'i')), 413, "attribute 'id' has 1025 octets"},
      {one, event_json("1", ",\"data\":\"" + std::string(2 << 20, 'x') + "\""), 413, "too-large"},
      {many, "[" + event_json("1") + "," + event_json("") + "]", 422, "event 1 of the batch"},
      {many, "[]", 422, "no event"},
      {"application/json", event_json("1"), 415, "application/cloudevents+json"},
      {"", event_json("1"), 415, "application/cloudevents+json"},
      {one + "; charset=latin1", event_json("1"), 415, "utf-8"},
  };
  for (const Case& bad : cases) {
    const auto answer = fixture.post("/v1/events", bad.type, bad.body);
    CAPTURE(answer.body);
    CHECK(answer.status == bad.status);
    CHECK(contains(answer.body, bad.says));
    CHECK(contains(answer.body, "urn:eventchain:problem:"));
  }
  CHECK(fixture.port.submits == 0);
}

TEST_CASE("a final event is said to be final, and one that is not yet is accepted only") {
  Fixture fixture;
  node::EventOutcome outcome;
  outcome.state = node::EventOutcome::State::kCompleted;
  outcome.position = chain::Position{3};
  outcome.height = chain::Height{2};
  SUBCASE("signed by a majority in time") {
    outcome.is_final = true;
    fixture.port.outcomes = {outcome};
    const auto answer = fixture.post_event("/v1/events?wait=final", event_json("1"));
    CHECK(answer.status == 201);
    CHECK(contains(answer.body, R"("status":"completed","detail":"final")"));
  }
  SUBCASE("not in time") {
    fixture.port.outcomes = {outcome};
    fixture.port.reached = false;
    const auto answer = fixture.post_event("/v1/events?wait=final", event_json("1"));
    CHECK(answer.status == 202);
    CHECK(contains(answer.body, R"("status":"completed","detail":"committed")"));
  }
}
