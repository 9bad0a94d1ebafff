#include "chain/flat_index.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "chain/rng.h"

using namespace eventchain::chain;

namespace {

// What the first multiplier turns into `number`.
std::uint32_t unmixed(std::uint32_t number) {
  // Newton: each step doubles the bits that are right, and an odd number is its own inverse in 3.
  std::uint32_t inverse = FlatIndex::kFirstMultiplier;
  for (int step = 0; step < 4; ++step) inverse *= 2 - FlatIndex::kFirstMultiplier * inverse;
  return inverse * number;
}

// How poor the hash of a key is: a good one; few ones, in the last slots of a table and going over
// its end; one for all; one that differs only in the half that is not kept; and hashes chosen so
// that their slots lie side by side.
enum class HashKind { kMixed, kLast, kOne, kHighOnly, kChosen };

std::size_t hash_of(std::uint64_t key, HashKind kind) {
  switch (kind) {
    case HashKind::kMixed:
      return Rng(key).next();
    case HashKind::kLast:
      return unmixed(~std::uint32_t{0} - static_cast<std::uint32_t>(key % 7));
    case HashKind::kOne:
      return 0;
    case HashKind::kHighOnly:
      return static_cast<std::size_t>(key << 32);
    case HashKind::kChosen:
      return unmixed(static_cast<std::uint32_t>(key));
  }
  return 0;
}

// Items are numbers; which key each has is told by a vector, as an owner would have it.
struct Indexed {
  explicit Indexed(HashKind hash_kind) : kind(hash_kind) {}

  HashKind kind;
  FlatIndex index;
  std::unordered_multimap<std::uint64_t, FlatIndex::Item> model;
  std::vector<std::uint64_t> keys;  // by item
  std::vector<FlatIndex::Item> free;

  void insert(std::uint64_t key) {
    auto item = static_cast<FlatIndex::Item>(keys.size());
    if (free.empty()) {
      keys.push_back(key);
    } else {
      item = free.back();
      free.pop_back();
      keys[item] = key;
    }
    index.insert(hash_of(key, kind), item);
    model.emplace(key, item);
  }
  void erase(std::unordered_multimap<std::uint64_t, FlatIndex::Item>::iterator which) {
    index.erase(hash_of(which->first, kind), which->second);
    free.push_back(which->second);
    model.erase(which);
  }
  // Whatever the index says of a key is what the model says.
  void look_up(std::uint64_t key) const {
    const auto is_meant = [&](FlatIndex::Item item) { return keys[item] == key; };
    std::vector<FlatIndex::Item> found;
    const auto mark_of = [&](std::uint64_t of) {
      return static_cast<std::uint32_t>(hash_of(of, kind));
    };
    index.each(hash_of(key, kind), [&](FlatIndex::Item item) {
      // Who asks pays a line of memory for each item that is shown.
      REQUIRE(mark_of(keys[item]) == mark_of(key));
      if (is_meant(item)) found.push_back(item);
    });
    std::vector<FlatIndex::Item> expected;
    const auto [begin, end] = model.equal_range(key);
    for (auto at = begin; at != end; ++at) expected.push_back(at->second);
    std::sort(found.begin(), found.end());
    std::sort(expected.begin(), expected.end());
    REQUIRE(found == expected);
    const FlatIndex::Item one = index.find(hash_of(key, kind), is_meant);
    REQUIRE((one != FlatIndex::kNone) == !expected.empty());
    if (one != FlatIndex::kNone) REQUIRE(keys[one] == key);
    for (const FlatIndex::Item item : expected)
      REQUIRE(index.find(hash_of(key, kind), [&](FlatIndex::Item at) { return at == item; }) ==
              item);
    REQUIRE(index.size() == model.size());
  }
};

}  // namespace

TEST_CASE("a flat index finds what a multimap finds, however poor the hash") {
  for (const HashKind kind : {HashKind::kMixed, HashKind::kLast, HashKind::kOne,
                              HashKind::kHighOnly, HashKind::kChosen}) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
      INFO("hash ", static_cast<int>(kind), ", seed ", seed);
      Rng rng(seed);
      Indexed indexed(kind);
      // Few keys have many items each, many keys hardly any.
      const std::uint64_t keys = seed % 3 == 0 ? 6 : 80;
      for (int step = 0; step < 1'500; ++step) {
        // It fills and drains in turn.
        const bool is_filling = step / 250 % 2 == 0;
        const std::uint64_t key = rng.below(keys);
        if (rng.chance(is_filling ? 3 : 1, 4)) {
          indexed.insert(key);
        } else if (const auto found = indexed.model.find(key); found != indexed.model.end()) {
          indexed.erase(found);
        }
        indexed.look_up(rng.below(keys + 3));
      }
      for (std::uint64_t key = 0; key < keys; ++key) indexed.look_up(key);
      while (!indexed.model.empty()) indexed.erase(indexed.model.begin());
      for (std::uint64_t key = 0; key < keys; ++key) indexed.look_up(key);
    }
  }
}

TEST_CASE("a flat index keeps all it holds while it grows, and again once it is emptied") {
  Indexed indexed(HashKind::kMixed);
  for (int round = 0; round < 2; ++round) {
    INFO("round ", round);
    for (std::uint64_t key = 0; key < 3'000; ++key) {
      indexed.insert(key);
      // Around every size at which it may double.
      if ((key & (key - 1)) != 0 && (key & (key + 1)) != 0) continue;
      for (std::uint64_t held = 0; held <= key + 1; ++held) indexed.look_up(held);
    }
    // From the front, as events leave the pending pool.
    for (std::uint64_t key = 0; key < 3'000; ++key) {
      indexed.erase(indexed.model.find(key));
      indexed.look_up(key);
      indexed.look_up(key + 1);
    }
  }
}

TEST_CASE("keys chosen to lie side by side in a flat index soon do so no more") {
  Indexed indexed(HashKind::kChosen);
  for (std::uint64_t key = 0; key < 3'000; ++key) {
    indexed.insert(key);
    REQUIRE(indexed.index.longest_walk() <= 2 * FlatIndex::kWalkMax);
  }
  for (std::uint64_t key = 0; key < 3'100; ++key) indexed.look_up(key);
  for (std::uint64_t key = 0; key < 3'000; ++key) indexed.erase(indexed.model.find(key));
  CHECK(indexed.index.longest_walk() == 1);
}

TEST_CASE("an empty flat index finds nothing, not even under the hash that is zero") {
  const FlatIndex index;
  CHECK(index.size() == 0);
  CHECK(index.find(0, [](FlatIndex::Item) { return true; }) == FlatIndex::kNone);
  index.each(0, [](FlatIndex::Item) { FAIL("there is nothing"); });
}
