#include "node/genesis_json.h"

#include <doctest/doctest.h>

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

TEST_CASE("white space and the order of members do not change the chain") {
  std::string json = format_genesis(sample_genesis());
  json.erase(std::remove(json.begin(), json.end(), '\n'), json.end());
  CHECK(parse_genesis(json) == sample_genesis());
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
