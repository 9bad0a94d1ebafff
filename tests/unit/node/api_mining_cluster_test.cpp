#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/unit/node/api_order_fixture.h"

using namespace eventchain;
using namespace api_test;

namespace {

constexpr std::int64_t kSealedAt = 1'700'000'000'000 - 4'000;  // four seconds before the clock

// Two members; blocks of four shares of 2^20 hashes, each mined in two seconds.
struct Mined : Fixture {
  Mined() : Fixture(order_options()) {
    reader.member_set.members = {sample_member("n1", 1), sample_member("n2", 2)};
    reader.tip_info.sealed.header.share_target = target();
  }

  static chain::CompactTarget target() {
    return chain::compact(chain::target_for(chain::U256(1 << 20)));
  }

  void add(std::uint64_t height, const std::vector<std::uint16_t>& slots) {
    store::StoredBlock stored;
    chain::SealedHeader& sealed = stored.block.sealed;
    sealed.header.height = chain::Height{height};
    sealed.header.share_target = target();
    sealed.header.share_count = 4;
    sealed.header.time = chain::UnixMillis{kSealedAt - 2'000};
    sealed.header.started = sealed.header.time;
    sealed.seal.sealed_at = chain::UnixMillis{kSealedAt};
    for (std::uint64_t i = 0; i < slots.size(); ++i)
      sealed.seal.shares.push_back({chain::nonce_high(chain::Slot{slots[i]}, 0, i), 0});
    reader.tip_info = {chain::Height{height}, {}, sealed, 0, {}};
    reader.blocks[chain::Height{height}] = std::move(stored);
  }
};

double real_at(const net::http::Response& response, const char* pointer) {
  return boost::json::parse(response.body).at_pointer(pointer).to_number<double>();
}

bool has(const net::http::Response& response, const char* pointer) {
  boost::system::error_code error;
  return boost::json::parse(response.body).find_pointer(pointer, error) != nullptr;
}

constexpr double kHashes = 1 << 20;

}  // namespace

TEST_CASE("the shares in blocks tell who mines how much") {
  Mined fixture;
  fixture.add(1, {1, 1, 1, 2});
  fixture.add(2, {1, 1, 2, 2});
  const auto answer = fixture.get("/v1/mining/cluster");
  REQUIRE(answer.status == 200);
  CHECK(text_at(answer, "/window/from") == "1");
  CHECK(text_at(answer, "/window/to") == "2");
  CHECK(text_at(answer, "/window/blocks") == "2");
  CHECK(text_at(answer, "/window/shares") == "8");
  CHECK(real_at(answer, "/window/rate/per_second") == doctest::Approx(2 * kHashes).epsilon(1e-6));
  CHECK(real_at(answer, "/window/rate/low") < 2 * kHashes);
  CHECK(real_at(answer, "/window/rate/high") > 2 * kHashes);
  CHECK(text_at(answer, "/members/0/name") == "n1");
  CHECK(text_at(answer, "/members/0/role") == "standby");
  CHECK(real_at(answer, "/members/0/slot") == 1);
  CHECK(text_at(answer, "/members/0/shares") == "5");
  CHECK(real_at(answer, "/members/0/part") == doctest::Approx(0.625));
  CHECK(real_at(answer, "/members/1/rate/per_second") ==
        doctest::Approx(0.75 * kHashes).epsilon(1e-6));
  CHECK(text_at(answer, "/members/1/last_share/height") == "2");
  CHECK(real_at(answer, "/members/1/last_share/age_ms") == 4'000);
  CHECK(real_at(answer, "/former/part") == doctest::Approx(0));
}

TEST_CASE("only as many blocks count as are asked for, and genesis never does") {
  Mined fixture;
  fixture.add(1, {1, 1, 1, 1});
  fixture.add(2, {2, 2, 2, 2});
  fixture.add(3, {2, 2, 2, 2});
  const auto answer = fixture.get("/v1/mining/cluster?blocks=2");
  CHECK(text_at(answer, "/window/from") == "2");
  CHECK(text_at(answer, "/members/0/shares") == "0");
  CHECK_FALSE(has(answer, "/members/0/last_share"));
  CHECK(real_at(answer, "/members/0/rate/high") > 0);  // and yet nobody can say that it idles
  CHECK(text_at(fixture.get("/v1/mining/cluster?blocks=1000"), "/window/blocks") == "3");
  for (const char* wrong : {"0", "1001", "-1", "ten", ""})
    CHECK(fixture.get(std::string("/v1/mining/cluster?blocks=") + wrong).status == 400);
}

TEST_CASE("who left the cluster is told apart from those who are there") {
  Mined fixture;
  fixture.add(1, {1, 1, 7, 7});  // nobody has slot 7 now
  const auto answer = fixture.get("/v1/mining/cluster");
  CHECK(text_at(answer, "/former/shares") == "2");
  CHECK(real_at(answer, "/former/part") == doctest::Approx(0.5));
}

TEST_CASE("the next block takes as long as what is missing of it") {
  Mined fixture;
  fixture.add(1, {1, 1, 2, 2});
  const auto idle = fixture.get("/v1/mining/cluster");
  CHECK_FALSE(boost::json::parse(idle.body).at_pointer("/next/in_work").as_bool());
  CHECK(text_at(idle, "/next/height") == "2");

  auto& status = fixture.port.status;
  status.in_work.emplace();
  status.in_work->height = chain::Height{2};
  status.in_work->share_target = Mined::target();
  status.in_work->share_count = 4;
  status.in_work->started = chain::UnixMillis{0};
  // The genesis of these tests has the interval 10 s; a second step comes at the sixth.
  status.in_work->time = chain::UnixMillis{60'000};
  status.shares_found = 1;
  const auto busy = fixture.get("/v1/mining/cluster");
  CHECK(boost::json::parse(busy.body).at_pointer("/next/in_work").as_bool());
  // Three more shares of 2^20 hashes, at 2 * 2^20 hashes a second.
  CHECK(real_at(busy, "/next/expected_seconds") == doctest::Approx(1.5).epsilon(1e-4));
  CHECK(real_at(busy, "/next/expected_seconds_low") < 1.5);
  CHECK(real_at(busy, "/next/expected_seconds_high") > 1.5);
  CHECK(real_at(busy, "/next/easing_steps") == 2);
  CHECK(real_at(busy, "/interval_ms") == 10'000);
}

TEST_CASE("a chain without blocks has no rates, and says nothing it does not know") {
  Mined fixture;
  fixture.reader.tip_info.sealed = chain::genesis_block(sample_genesis());
  const auto answer = fixture.get("/v1/mining/cluster");
  REQUIRE(answer.status == 200);
  CHECK(text_at(answer, "/window/blocks") == "0");
  CHECK_FALSE(has(answer, "/window/rate"));
  CHECK_FALSE(has(answer, "/next/expected_seconds"));
  CHECK_FALSE(has(answer, "/seen/stale_part"));
}

TEST_CASE("what was found in vain is counted against what was of use") {
  Mined fixture;
  auto& counters = fixture.port.status.counters;
  counters.own_shares = {6, 5, 1, 2, 9};
  counters.peer_shares = {10, 50, 0, 1, 9};
  counters.shares_lost = 4;
  const auto answer = fixture.get("/v1/mining/cluster");
  CHECK(text_at(answer, "/seen/own/duplicate") == "5");
  CHECK(text_at(answer, "/seen/peers/stale") == "1");
  CHECK(real_at(answer, "/seen/stale_part") == doctest::Approx(3.0 / 20));
  CHECK(real_at(answer, "/seen/useful_part") == doctest::Approx(12.0 / 20));
}
