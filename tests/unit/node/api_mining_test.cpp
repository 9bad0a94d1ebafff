#include <doctest/doctest.h>

#include "tests/unit/node/api_order_fixture.h"

using namespace eventchain;
using namespace api_test;

namespace {

class FakeLending : public mining::Lending {
 public:
  [[nodiscard]] mining::LendingReport report() const override { return told; }
  void pause(bool wants) override { told.wish.pauses = wants; }
  void limit(unsigned percent) override { told.wish.limit_percent = percent; }

  mining::LendingReport told;
};

node::api::ApiOptions lending_options(
    FakeLending& lending, node::api::OrderRight right = node::api::OrderRight::kEverybody) {
  node::api::ApiOptions options = order_options(right);
  options.lending = &lending;
  return options;
}

bool flag_at(const net::http::Response& response, const char* pointer) {
  return boost::json::parse(response.body).at_pointer(pointer).as_bool();
}

}  // namespace

TEST_CASE("a node tells what it lends and why not more") {
  FakeLending lending;
  lending.told.state = mining::LendingReport::State::kLends;
  lending.told.reason = mining::LendingReason::kCap;
  lending.told.why = "lends up to 50.0 %: mining.cap_percent";
  lending.told.host = {8, 4, true};
  lending.told.threads = 4;
  lending.told.lent = 0.25;
  lending.told.hashes = std::uint64_t{1} << 60;
  Fixture fixture(lending_options(lending));
  const auto answer = fixture.get("/v1/mining");
  CHECK(answer.status == 200);
  CHECK(text_at(answer, "/state") == "lends");
  CHECK(text_at(answer, "/reason") == "cap");
  CHECK(text_at(answer, "/why") == lending.told.why);
  CHECK(text_at(answer, "/hashes") == "1152921504606846976");
  CHECK(flag_at(answer, "/isolated"));
  const auto document = boost::json::parse(answer.body);
  CHECK(document.at("cores").as_int64() == 4);
  CHECK(document.at("lent").to_number<double>() == 0.25);
  CHECK_FALSE(document.as_object().contains("limit_percent"));
}

TEST_CASE("a node whose miner is a process of its own tells whether that is there") {
  FakeLending lending;
  lending.told.state = mining::LendingReport::State::kNoProcess;
  lending.told.reason = mining::LendingReason::kCap;
  Fixture fixture(lending_options(lending));
  auto answer = fixture.get("/v1/mining");
  CHECK(text_at(answer, "/state") == "no-process");
  CHECK(text_at(answer, "/reason") == "no-process");
  CHECK_FALSE(boost::json::parse(answer.body).as_object().contains("last_word_ms"));
  lending.told.state = mining::LendingReport::State::kSilent;
  lending.told.last_word_age = std::chrono::milliseconds(5678);
  answer = fixture.get("/v1/mining");
  CHECK(text_at(answer, "/reason") == "silent");
  CHECK(boost::json::parse(answer.body).at("last_word_ms").as_int64() == 5678);
}

TEST_CASE("operators pause, resume and limit it") {
  FakeLending lending;
  Fixture fixture(lending_options(lending));
  auto answer = fixture.order("POST", "/v1/mining/pause", "{}");
  CHECK(answer.status == 200);
  CHECK(flag_at(answer, "/paused"));
  CHECK(lending.told.wish.pauses);
  answer = fixture.order("POST", "/v1/mining/resume", "{}");
  CHECK(answer.status == 200);
  CHECK_FALSE(lending.told.wish.pauses);
  answer = fixture.order("POST", "/v1/mining/limit", R"({"percent": 20})");
  CHECK(answer.status == 200);
  CHECK(lending.told.wish.limit_percent == 20);
  CHECK(boost::json::parse(answer.body).at("limit_percent").as_int64() == 20);
}

TEST_CASE("nobody else does, and what is asked must be well-formed") {
  FakeLending lending;
  Fixture closed(lending_options(lending, node::api::OrderRight::kNobody));
  for (const char* path : {"/v1/mining/pause", "/v1/mining/resume"})
    CHECK(closed.order("POST", path, "{}").status == 403);
  CHECK(closed.order("POST", "/v1/mining/limit", R"({"percent": 20})").status == 403);
  CHECK(closed.get("/v1/mining").status == 200);

  Fixture open(lending_options(lending));
  CHECK(open.order("POST", "/v1/mining/pause", R"({"for": 3})").status == 400);
  CHECK(open.post("/v1/mining/pause", "text/plain", "{}").status == 415);
  for (const char* body : {"{}", R"({"percent": 0})", R"({"percent": 101})", R"({"percent": "20"})",
                           R"({"percent": 20, "for": 3})"}) {
    INFO(body);
    CHECK(open.order("POST", "/v1/mining/limit", body).status == 400);
  }
  CHECK(lending.told.wish == mining::OperatorWish{});
}

TEST_CASE("a node that lends nothing says so, and takes no word on it") {
  Fixture fixture(order_options());
  const auto answer = fixture.get("/v1/mining");
  CHECK(answer.status == 200);
  CHECK(text_at(answer, "/state") == "off");
  CHECK(contains(text_at(answer, "/why"), "mining.threads"));
  for (const char* path : {"/v1/mining/pause", "/v1/mining/resume"}) {
    const auto refused = fixture.order("POST", path, "{}");
    CHECK(refused.status == 409);
    CHECK(text_at(refused, "/type") == "urn:eventchain:problem:order-refused");
  }
  CHECK(fixture.order("POST", "/v1/mining/limit", R"({"percent": 5})").status == 409);
}

TEST_CASE("a light member tells and obeys as well") {
  FakeLending lending;
  node::api::ApiOptions options = lending_options(lending);
  options.is_light = true;
  Fixture fixture(std::move(options));
  CHECK(fixture.get("/v1/mining").status == 200);
  CHECK(fixture.order("POST", "/v1/mining/pause", "{}").status == 200);
  CHECK(lending.told.wish.pauses);
}
