#include "chain/history_cut.h"

#include <doctest/doctest.h>

#include "chain/hash.h"
#include "chain/rng.h"

using namespace eventchain::chain;

namespace {

HistoryNode leaf(std::uint64_t number) {
  const auto block = as_kind<BlockId>(sha256("block " + std::to_string(number)));
  const auto time = static_cast<std::int64_t>(1000 * number);
  return history_leaf(block, U256(100 + number % 7), UnixMillis{time}, UnixMillis{time + 7});
}

struct Made {
  History history;
  std::vector<HistoryNode> nodes;
  [[nodiscard]] HistoryReader reader() const {
    return [this](std::uint64_t number) -> Result<HistoryNode> { return nodes.at(number); };
  }
};

Made history_of(std::uint64_t blocks) {
  Made made;
  for (std::uint64_t i = 0; i < blocks; ++i) made.history.append(leaf(i), &made.nodes);
  return made;
}

std::vector<ShownLeaf> leaves_at(const std::vector<Height>& heights) {
  std::vector<ShownLeaf> leaves;
  for (const Height height : heights) leaves.push_back({height, leaf(height.value)});
  return leaves;
}

// What fold_history() must tell of a place, from the histories below it.
void check_place(const HistoryPlace& place, std::uint64_t height, std::uint64_t blocks) {
  const History below = history_of(height).history;
  REQUIRE(place.work_before == below.total_work());
  REQUIRE(place.root_before == below.root());
  REQUIRE(place.sealed_before.has_value() == (height > 0));
  if (place.sealed_before) REQUIRE(*place.sealed_before == leaf(height - 1).last_time);
  REQUIRE(place.time_after.has_value() == (height + 1 < blocks));
  if (place.time_after) REQUIRE(*place.time_after == leaf(height + 1).first_time);
}

}  // namespace

TEST_CASE("a history that was cut back is put together again, and tells each leaf's place") {
  Rng rng(1);
  for (std::uint64_t blocks = 1; blocks <= 70; ++blocks) {
    const Made made = history_of(blocks);
    for (unsigned round = 0; round < 6; ++round) {
      std::vector<Height> shown;
      for (std::uint64_t i = 0; i < blocks; ++i)
        if (rng.chance(1, 1 + round * 3)) shown.push_back(Height{i});
      const auto cut = cut_history(shown, blocks, made.reader());
      REQUIRE(cut);
      const auto folded = fold_history(leaves_at(shown), blocks, *cut);
      REQUIRE(folded);
      REQUIRE(history_root(folded->top) == made.history.root());
      REQUIRE(folded->top.blocks == blocks);
      REQUIRE(folded->top.work == made.history.total_work());
      REQUIRE(folded->places.size() == shown.size());
      for (std::size_t i = 0; i < shown.size(); ++i)
        check_place(folded->places[i], shown[i].value, blocks);
      // One node for each level at most, and none twice.
      REQUIRE(cut->size() <= (shown.empty() ? 1 : shown.size() * 7));
    }
  }
}

TEST_CASE("leaves and nodes that do not fit together are no history") {
  constexpr std::uint64_t kBlocks = 37;
  const Made made = history_of(kBlocks);
  const std::vector<Height> shown{Height{0}, Height{9}, Height{10}, Height{36}};
  const auto leaves = leaves_at(shown);
  const auto nodes = cut_history(shown, kBlocks, made.reader()).value();
  REQUIRE(fold_history(leaves, kBlocks, nodes));
  const auto root_of = [&](const std::vector<ShownLeaf>& some, const std::vector<HistoryNode>& cut,
                           std::uint64_t blocks) -> std::optional<Hash> {
    const auto folded = fold_history(some, blocks, cut);
    if (!folded) return std::nullopt;
    return history_root(folded->top);
  };
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    INFO("node ", i);
    auto changed = nodes;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK_FALSE(root_of(leaves, changed, kBlocks));
    changed = nodes;
    changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(i), nodes[i]);
    CHECK_FALSE(root_of(leaves, changed, kBlocks));
    changed = nodes;
    ++changed[i].blocks;
    CHECK_FALSE(root_of(leaves, changed, kBlocks));
    changed = nodes;
    changed[i].work = changed[i].work + U256(1);
    CHECK(root_of(leaves, changed, kBlocks) != made.history.root());
    changed = nodes;
    ++changed[i].last_time.value;
    CHECK(root_of(leaves, changed, kBlocks) != made.history.root());
  }
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    auto changed = leaves;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK_FALSE(root_of(changed, nodes, kBlocks));
    changed = leaves;
    changed.insert(changed.begin(), leaves[i]);
    CHECK_FALSE(root_of(changed, nodes, kBlocks));
    changed = leaves;
    changed[i].leaf.blocks = 2;
    CHECK_FALSE(root_of(changed, nodes, kBlocks));
  }
  CHECK_FALSE(root_of(leaves, nodes, kBlocks + 1));
  CHECK_FALSE(root_of(leaves, nodes, 36));
  CHECK_FALSE(root_of({}, {}, 0));
  // As many blocks as there can be: neither time nor memory hang on the number.
  CHECK_FALSE(root_of(leaves, nodes, ~std::uint64_t{0}));
  CHECK_FALSE(root_of({{Height{~std::uint64_t{0} - 1}, leaf(0)}}, nodes, ~std::uint64_t{0}));
}

TEST_CASE("the blocks in which places lie are those that a count from genesis finds") {
  for (const std::uint64_t blocks : {1U, 2U, 3U, 8U, 21U, 64U, 100U}) {
    const Made made = history_of(blocks);
    std::vector<U256> places;
    std::vector<Height> expected;
    std::uint64_t before = 0;
    for (std::uint64_t i = 0; i < blocks; ++i) {
      const std::uint64_t work = leaf(i).work.limbs()[0];
      // The first and the last place of every third block, the last one twice.
      if (i % 3 == 0) {
        places.insert(places.end(),
                      {U256(before), U256(before + work - 1), U256(before + work - 1)});
        expected.push_back(Height{i});
      }
      before += work;
    }
    const auto found = heights_at(places, blocks, made.reader());
    REQUIRE(found);
    CHECK(*found == expected);
  }
}
