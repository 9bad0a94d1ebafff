#include "store/sqlite/pending_index.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "chain/rng.h"

using namespace eventchain;
using namespace eventchain::store;

namespace {

struct Pending {
  chain::EntryRef entry;
  std::uint64_t arrival;
};

// Three keys each share what is hashed of them.
chain::EntryRef entry_of(std::uint64_t key, std::uint64_t variant) {
  chain::EntryRef entry;
  entry.key.octets[0] = static_cast<std::uint8_t>(key / 3);
  entry.key.octets[15] = static_cast<std::uint8_t>(key % 3);
  entry.commitment.octets[31] = static_cast<std::uint8_t>(variant);
  return entry;
}

}  // namespace

TEST_CASE("the index of pending keys does what a searched list does") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed ", seed);
    chain::Rng rng(seed);
    PendingIndex index;
    std::vector<Pending> list;
    for (std::uint64_t step = 0; step < 1'000; ++step) {
      const chain::EntryRef entry = entry_of(rng.below(30), rng.below(4));
      const auto held = std::find_if(list.begin(), list.end(),
                                     [&](const Pending& at) { return at.entry == entry; });
      const auto found = index.find(entry);
      REQUIRE(found.has_value() == (held != list.end()));
      if (found) REQUIRE(*found == held->arrival);

      std::vector<std::uint64_t> expected;
      for (const Pending& at : list)
        if (at.entry.key == entry.key) expected.push_back(at.arrival);
      std::vector<std::uint64_t> seen;
      index.each(entry.key, [&](std::uint64_t arrival) { seen.push_back(arrival); });
      std::sort(seen.begin(), seen.end());
      REQUIRE(seen == expected);

      // It fills and drains in turn.
      if (rng.chance(step / 200 % 2 == 0 ? 3 : 1, 4)) {
        if (held != list.end()) continue;
        index.add(entry, step);
        list.push_back({entry, step});
      } else {
        const auto taken = index.take(entry);
        REQUIRE(taken == found);
        if (held != list.end()) list.erase(held);
      }
    }
  }
}
