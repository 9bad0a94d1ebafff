#include "chain/genesis.h"

#include <doctest/doctest.h>

#include <functional>
#include <set>
#include <string>

#include "chain/hash.h"
#include "chain_fixture.h"
#include "golden_vectors.h"

using namespace eventchain::chain;
using namespace eventchain::chain::testing;

namespace {

struct Change {
  const char* field;  // what the refusal names
  std::function<void(Genesis&)> apply;
};

}  // namespace

TEST_CASE("genesis is encoded and hashed as the golden vectors say") {
  const Genesis genesis = small_genesis();
  CHECK(to_hex(encode_genesis(genesis)) == golden_vector("genesis"));
  CHECK(to_hex(chain_id(genesis)) == golden_vector("chain-id"));
  CHECK(to_hex(member_set_hash(first_members(genesis))) == golden_vector("member-set"));
}

TEST_CASE("each work function makes another chain, and the golden vectors say which") {
  Genesis genesis = small_genesis();
  genesis.work_function = WorkFunction::kRandomXV1;
  REQUIRE(check_genesis(genesis).has_value());
  CHECK(to_hex(chain_id(genesis)) == golden_vector("chain-id-randomx"));
  genesis.work_function = WorkFunction::kNone;
  genesis.share_count = 1;
  REQUIRE(check_genesis(genesis).has_value());
  CHECK(to_hex(chain_id(genesis)) == golden_vector("chain-id-none"));
}

TEST_CASE("work functions have names, and nothing else has one") {
  for (const char* name : {"sha256", "randomx-v1", "none"}) {
    const auto function = parse_work_function(name);
    REQUIRE(function.has_value());
    CHECK(std::string(to_string(*function)) == name);
  }
  for (const char* name : {"", "sha-256", "randomx", "None"})
    CHECK_FALSE(parse_work_function(name).has_value());
}

TEST_CASE("a chain without work says so in all it says of work") {
  const auto refusal = [](const std::function<void(Genesis&)>& change) {
    Genesis genesis = small_genesis();
    genesis.work_function = WorkFunction::kNone;
    genesis.share_count = 1;
    change(genesis);
    const Result<void> checked = check_genesis(genesis);
    return checked ? std::string() : checked.error().message;
  };
  CHECK(refusal([](Genesis&) {}).empty());
  CHECK(refusal([](Genesis& g) { g.share_count = 16; }) ==
        "genesis: share_count must be 1 with work_function \"none\": no share costs anything");
  CHECK(refusal([](Genesis& g) { g.first_target = kSomeHashes; }) ==
        "genesis: first_target must be 20ffffff with work_function \"none\": every share meets its "
        "target, and the target never changes");
  CHECK(refusal([](Genesis& g) {
          g.first_target = g.easiest_target = kSomeHashes;
        }).rfind("genesis: first_target must be 20ffffff", 0) == 0);
}

TEST_CASE("a sound genesis passes, at both ends of every range") {
  Genesis genesis = small_genesis();
  CHECK(check_genesis(genesis).has_value());
  genesis.share_count = 256;
  genesis.interval_ms = 3'600'000;
  genesis.heartbeat_ms = 0;
  genesis.block_events_max = 65'536;
  genesis.name = std::string(32, 'z');
  genesis.voters[1].site = "";
  CHECK(check_genesis(genesis).has_value());
  genesis.share_count = 1;
  genesis.interval_ms = 100;
  genesis.block_events_max = 1;
  genesis.block_bytes_max = genesis.event_bytes_max;
  genesis.voters.resize(1);
  CHECK(check_genesis(genesis).has_value());
}

TEST_CASE("a genesis out of range is refused with the field's name") {
  const Change changes[] = {
      {"name", [](Genesis& g) { g.name = ""; }},
      {"name", [](Genesis& g) { g.name = std::string(33, 'a'); }},
      {"name", [](Genesis& g) { g.name = "Upper"; }},
      {"trust_domain", [](Genesis& g) { g.trust_domain = ""; }},
      {"trust_domain", [](Genesis& g) { g.trust_domain = "Example.org"; }},
      {"trust_domain", [](Genesis& g) { g.trust_domain = std::string(256, 'a'); }},
      {"created", [](Genesis& g) { g.created = UnixMillis{-1}; }},
      {"created", [](Genesis& g) { g.created = UnixMillis{253'402'300'800'000}; }},
      {"work_function", [](Genesis& g) { g.work_function = WorkFunction{4}; }},
      {"work_function", [](Genesis& g) { g.work_function = WorkFunction{0}; }},
      {"share_count", [](Genesis& g) { g.work_function = WorkFunction::kNone; }},
      {"share_count", [](Genesis& g) { g.share_count = 0; }},
      {"share_count", [](Genesis& g) { g.share_count = 257; }},
      {"interval_ms", [](Genesis& g) { g.interval_ms = 99; }},
      {"interval_ms", [](Genesis& g) { g.interval_ms = 3'600'001; }},
      {"first_target", [](Genesis& g) { g.first_target = CompactTarget{0}; }},
      {"easiest_target", [](Genesis& g) { g.easiest_target = CompactTarget{0x21ffffff}; }},
      {"first_target", [](Genesis& g) { g.easiest_target = kSomeHashes; }},
      {"event_bytes_max", [](Genesis& g) { g.event_bytes_max = 0; }},
      {"event_bytes_max", [](Genesis& g) { g.event_bytes_max = 3 * 1024 * 1024 + 1; }},
      {"block_events_max", [](Genesis& g) { g.block_events_max = 0; }},
      {"block_events_max", [](Genesis& g) { g.block_events_max = 65'537; }},
      {"block_bytes_max", [](Genesis& g) { g.block_bytes_max = g.event_bytes_max - 1; }},
      {"voters", [](Genesis& g) { g.voters.clear(); }},
      {"voters", [](Genesis& g) { g.voters.resize(8); }},
      {"voters[1].slot", [](Genesis& g) { g.voters[1].slot = Slot{2}; }},
      {"voters[2].node", [](Genesis& g) { g.voters[2].node = g.voters[0].node; }},
      {"voters[0].node", [](Genesis& g) { g.voters[0].node = NodeId{}; }},
      {"voters[1].signing_key",
       [](Genesis& g) { g.voters[1].signing_key = g.voters[0].signing_key; }},
      {"voters[1].signing_key", [](Genesis& g) { g.voters[1].signing_key = PublicKey{}; }},
      {"voters[2].name", [](Genesis& g) { g.voters[2].name = "n1"; }},
      {"voters[2].name", [](Genesis& g) { g.voters[2].name = "n 1"; }},
      {"voters[0].site", [](Genesis& g) { g.voters[0].site = "a/b"; }},
      {"voters[0].site", [](Genesis& g) { g.voters[0].site = std::string(33, 'a'); }},
  };
  for (const Change& change : changes) {
    Genesis genesis = small_genesis();
    change.apply(genesis);
    const Result<void> checked = check_genesis(genesis);
    INFO(change.field);
    REQUIRE_FALSE(checked.has_value());
    CHECK(checked.error().code == ErrorCode::kInvalid);
    CHECK(checked.error().message.rfind(std::string("genesis: ") + change.field + " ", 0) == 0);
  }
}

TEST_CASE("every field of genesis makes another chain") {
  const std::function<void(Genesis&)> changes[] = {
      [](Genesis&) {},
      [](Genesis& g) { g.name = "other"; },
      [](Genesis& g) { g.trust_domain = "other.org"; },
      [](Genesis& g) { ++g.created.value; },
      [](Genesis& g) { g.work_function = WorkFunction::kRandomXV1; },
      [](Genesis& g) { ++g.share_count; },
      [](Genesis& g) { ++g.interval_ms; },
      [](Genesis& g) { ++g.heartbeat_ms; },
      [](Genesis& g) { --g.first_target.bits; },
      [](Genesis& g) { --g.easiest_target.bits; },
      [](Genesis& g) { ++g.event_bytes_max; },
      [](Genesis& g) { ++g.block_events_max; },
      [](Genesis& g) { ++g.block_bytes_max; },
      [](Genesis& g) { g.voters.pop_back(); },
      [](Genesis& g) { g.voters[0].node = g.voters[1].node; },
      [](Genesis& g) { g.voters[0].signing_key = g.voters[1].signing_key; },
      [](Genesis& g) { g.voters[0].slot = Slot{9}; },
      [](Genesis& g) { g.voters[0].name = "x"; },
      [](Genesis& g) { g.voters[0].site = "x"; },
  };
  std::set<ChainId> chains;
  std::set<Hash> member_sets;
  for (const auto& change : changes) {
    Genesis genesis = small_genesis();
    change(genesis);
    chains.insert(chain_id(genesis));
    member_sets.insert(member_set_hash(first_members(genesis)));
  }
  CHECK(chains.size() == std::size(changes));
  CHECK(member_sets.size() == 7);  // the unchanged one and six changes of members
}

TEST_CASE("the limits for events come from genesis") {
  CHECK(event_limits(small_genesis()).body_bytes_max == 1'000);
}
