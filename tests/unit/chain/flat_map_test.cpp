#include "chain/flat_map.h"

#include <doctest/doctest.h>

#include <map>

#include "chain/rng.h"
#include "chain/types.h"

using namespace eventchain::chain;

namespace {

// Few different hashes, so that most keys share theirs with others and differ in the rest alone.
EventKey key_of(Rng& rng, std::uint64_t hashes) {
  EventKey key;
  key.octets[0] = static_cast<std::uint8_t>(rng.below(hashes));
  key.octets[7] = key.octets[0];
  key.octets[15] = static_cast<std::uint8_t>(rng.below(256));
  return key;
}

}  // namespace

TEST_CASE("a flat map holds what a map holds, however much its keys collide") {
  for (const std::uint64_t hashes : {1U, 7U, 256U}) {
    for (const std::size_t expected : {0U, 100U, 5000U}) {
      const std::uint64_t seed = 100 * hashes + expected;
      INFO("seed " << seed);
      Rng rng(seed);
      FlatMap<EventKey, std::uint64_t> flat(expected);
      std::map<EventKey, std::uint64_t> model;
      for (std::uint64_t step = 0; step < 3000; ++step) {
        const EventKey key = key_of(rng, hashes);
        REQUIRE(flat.contains(key) == model.contains(key));
        const auto [value, is_new] = flat.try_emplace(key, step);
        const auto [place, is_new_to_model] = model.try_emplace(key, step);
        REQUIRE(is_new == is_new_to_model);
        REQUIRE(*value == place->second);
        *value += 1;
        place->second += 1;
      }
      CHECK(flat.size() == model.size());
      for (const auto& [key, value] : model) {
        REQUIRE(flat.find(key) != nullptr);
        CHECK(*flat.find(key) == value);
      }
    }
  }
}

TEST_CASE("an empty flat map holds nothing, not even the zero key, and then can") {
  FlatMap<EventKey, NoValue> set;
  CHECK_FALSE(set.contains(EventKey{}));
  CHECK(set.try_emplace(EventKey{}).second);
  CHECK(set.contains(EventKey{}));
  CHECK_FALSE(set.try_emplace(EventKey{}).second);
  CHECK(set.size() == 1);
}
