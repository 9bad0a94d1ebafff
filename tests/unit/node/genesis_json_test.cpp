#include "node/genesis_json.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <utility>

#include "tests/unit/node/api_fakes.h"

using namespace api_test;
using node::format_genesis;
using node::parse_genesis;

namespace {

// The sample with `from` replaced by `to` in its JSON form.
std::string edited(std::string_view from, std::string_view to) {
  std::string json = format_genesis(sample_genesis());
  const std::size_t at = json.find(from);
  REQUIRE(at != std::string::npos);
  return json.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("genesis survives being written and read") {
  chain::Genesis genesis = sample_genesis();
  genesis.created = chain::UnixMillis{1738324800123};
  genesis.share_count = 3;
  chain::Member second = genesis.voters[0];
  second.node.octets[1] = 1;
  second.peers_address = "host-2:7401";
  second.signing_key.octets[1] = 1;
  second.store.octets[1] = 1;
  second.slot = chain::Slot{1};
  second.name = "n2";
  second.site = "site-b";
  genesis.voters.push_back(second);
  const auto again = parse_genesis(format_genesis(genesis));
  REQUIRE_MESSAGE(again.has_value(), again.error().message);
  CHECK(*again == genesis);
  CHECK(chain::chain_id(*again) == chain::chain_id(genesis));
}

TEST_CASE("every work function is written and read by its name") {
  for (const char* name : {"sha256", "randomx-v1", "none"}) {
    CAPTURE(name);
    chain::Genesis genesis = sample_genesis();
    genesis.work_function = *chain::parse_work_function(name);
    genesis.share_count = 1;
    genesis.first_target = genesis.easiest_target = chain::compact(chain::U256::max());
    const std::string json = format_genesis(genesis);
    CHECK(json.find(std::string("\"work_function\": \"") + name + "\"") != std::string::npos);
    const auto again = parse_genesis(json);
    REQUIRE_MESSAGE(again.has_value(), again.error().message);
    CHECK(*again == genesis);
  }
}

TEST_CASE("white space and the order of members do not change the chain") {
  std::string json = format_genesis(sample_genesis());
  json.erase(std::remove(json.begin(), json.end(), '\n'), json.end());
  CHECK(parse_genesis(json) == sample_genesis());
}

TEST_CASE("a voter's key under which anybody can sign is refused by its voter") {
  const std::string key = to_hex(sample_genesis().voters[0].signing_key);
  const auto refused = parse_genesis(edited(key, "01" + std::string(62, '0')));
  REQUIRE_FALSE(refused.has_value());
  CHECK(contains(refused.error().message, "voter 1: signing_key"));
  CHECK(contains(refused.error().message, "small order"));
}

TEST_CASE("a genesis that could be read in two ways, or breaks a rule, is refused") {
  const std::pair<const char*, const char*> edits[] = {
      {"\"name\": \"test\"", "\"name\": \"Test\""},
      {"\"name\": \"test\",", ""},
      {"\"name\": \"test\"", "\"name\": \"test\", \"surprise\": 1"},
      {"\"name\": \"test\"", "\"name\": \"test\", \"name\": \"test\""},
      {"\"share_count\": 16", "\"share_count\": 0"},
      {"\"share_count\": 16", "\"share_count\": 257"},
      {"\"share_count\": 16", "\"share_count\": 16.0"},
      {"\"share_count\": 16", "\"share_count\": \"16\""},
      {"\"share_count\": 16", "\"share_count\": -1"},
      {"\"share_count\": 16", "\"share_count\": 65552"},
      {"1e0fffff", "1E0FFFFF"},
      {"1e0fffff", "1e0ffff"},
      {"1e0fffff", "00000000"},
      {"sha256", "sha1"},
      {"\"voters\": [", "\"voters\": [7,"},
      {"\"node\": \"07", "\"node\": \"7"},
      {"\"node\": \"07", "\"node\": \"0G"},
      {"\"site\": \"\"", "\"site\": null"},
  };
  for (const auto& edit : edits) {
    CAPTURE(edit.second);
    const auto genesis = parse_genesis(edited(edit.first, edit.second));
    REQUIRE_FALSE(genesis.has_value());
    CHECK(genesis.error().message.find("genesis: ") == 0);
  }
  for (const char* bad : {"", "{}", "[]", "null", "{\"voters\":"})
    CHECK_FALSE(parse_genesis(bad).has_value());
}

TEST_CASE("a missing genesis file is named") {
  const auto genesis = node::load_genesis("/nonexistent/genesis.json");
  REQUIRE_FALSE(genesis.has_value());
  CHECK(genesis.error().message.find("/nonexistent/genesis.json") != std::string::npos);
}

// Nodes keep the file for as long as the chain lives, and every later version reads it.
TEST_CASE("a genesis file of format 1 is read as it was meant") {
  const std::string path = EVENTCHAIN_TEST_DATA "/node/genesis-format-1.json";
  const auto genesis = node::load_genesis(path);
  REQUIRE_MESSAGE(genesis.has_value(), genesis.error().message);
  CHECK(genesis->name == "orders");
  CHECK(genesis->trust_domain == "example.org");
  CHECK(genesis->created == chain::UnixMillis{1738324800123});
  CHECK(genesis->work_function == chain::WorkFunction::kSha256);
  CHECK(genesis->share_count == 3);
  CHECK(genesis->interval_ms == 2500);
  CHECK(genesis->heartbeat_ms == 60000);
  CHECK(genesis->first_target.bits == 0x1e0fffff);
  CHECK(genesis->easiest_target.bits == 0x207fffff);
  CHECK(genesis->event_bytes_max == 65536);
  CHECK(genesis->block_events_max == 1000);
  CHECK(genesis->block_bytes_max == 2000000);
  REQUIRE(genesis->voters.size() == 2);
  const chain::Member& first = genesis->voters[0];
  CHECK(first.name == "n1");
  CHECK(first.site == "site-a");
  CHECK(to_hex(first.node) == "0102030405060708090a0b0c0d0e0f10");
  CHECK(to_hex(first.store) == std::string(32, '1'));
  CHECK(to_hex(first.signing_key) == std::string(64, '2'));
  CHECK(first.peers_address == "host-1:7401");
  CHECK(first.slot == chain::Slot{0});
  CHECK(genesis->voters[1].api_address == "[::1]:8402");
  CHECK(genesis->voters[1].slot == chain::Slot{1});

  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  CHECK(format_genesis(*genesis) == text.str());
}
