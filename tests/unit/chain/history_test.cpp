#include "chain/history.h"

#include <doctest/doctest.h>

#include <bit>

#include "chain/hash.h"
#include "chain/rng.h"
#include "golden_vectors.h"

using namespace eventchain::chain;

namespace {

HistoryNode leaf(std::uint64_t number) {
  const auto block = as_kind<BlockId>(sha256("block " + std::to_string(number)));
  const auto time = static_cast<std::int64_t>(1000 * number);
  return history_leaf(block, U256(100 + number), UnixMillis{time}, UnixMillis{time + 7});
}

// The twin: builds the range over [begin, end) anew, splitting off the greatest power of two.
HistoryNode naive_range(std::uint64_t begin, std::uint64_t end) {
  if (end - begin == 1) return leaf(begin);
  std::uint64_t half = 1;
  while (half * 2 < end - begin) half *= 2;
  return history_parent(naive_range(begin, begin + half), naive_range(begin + half, end));
}

Hash naive_root(std::uint64_t blocks) {
  const std::string header =
      "\x01"
      "ec:history-root";
  if (blocks == 0) return sha256(header);
  return sha256({header, encode_history_node(naive_range(0, blocks))});
}

}  // namespace

TEST_CASE("history nodes are hashed as the golden vectors say") {
  BlockId first;
  first.octets.fill(0x11);
  BlockId second;
  second.octets.fill(0x22);
  const HistoryNode left = history_leaf(first, U256(65536), UnixMillis{1000}, UnixMillis{11000});
  const HistoryNode right =
      history_leaf(second, U256(1) << 200, UnixMillis{12000}, UnixMillis{22000});
  CHECK(to_hex(left.hash) == golden_vector("history-leaf-hash"));
  CHECK(to_hex(encode_history_node(history_parent(left, right))) == golden_vector("history-node"));
  History history;
  CHECK(to_hex(history.root()) == golden_vector("history-root-empty"));
  history.append(left);
  history.append(right);
  CHECK(to_hex(history.root()) == golden_vector("history-root-two"));
}

TEST_CASE("the incremental range agrees with one built anew, and its sums are right") {
  History history;
  U256 work;
  CHECK(history.blocks() == 0);
  for (std::uint64_t blocks = 0; blocks < 200; ++blocks) {
    INFO("blocks ", blocks);
    REQUIRE(history.blocks() == blocks);
    REQUIRE(history.total_work() == work);
    REQUIRE(history.root() == naive_root(blocks));
    REQUIRE(history.peaks().size() == static_cast<std::size_t>(std::popcount(blocks)));
    history.append(leaf(blocks));
    work = work + U256(100 + blocks);
  }
}

TEST_CASE("every node made is handed out once, leaf first and parents after") {
  History history;
  std::vector<HistoryNode> made;
  for (std::uint64_t i = 0; i < 8; ++i) history.append(leaf(i), &made);
  REQUIRE(made.size() == 15);
  std::vector<std::uint64_t> sizes;
  for (const HistoryNode& node : made) sizes.push_back(node.blocks);
  CHECK(sizes == std::vector<std::uint64_t>{1, 1, 2, 1, 1, 2, 4, 1, 1, 2, 1, 1, 2, 4, 8});
  CHECK(made[2] == history_parent(made[0], made[1]));
  CHECK(made[14] == history.peaks().front());
  CHECK(made[14].first_time == UnixMillis{0});
  CHECK(made[14].last_time == UnixMillis{7007});
}

TEST_CASE("each field of a leaf and of a parent changes the hash above") {
  const HistoryNode left = leaf(1);
  const HistoryNode right = leaf(2);
  const Hash parent = history_parent(left, right).hash;
  CHECK(history_parent(right, left).hash != parent);
  HistoryNode other = left;
  other.work = other.work + U256(1);
  CHECK(history_parent(other, right).hash != parent);
  other = left;
  other.blocks = 2;
  CHECK(history_parent(other, right).hash != parent);
  other = left;
  other.first_time.value += 1;
  CHECK(history_parent(other, right).hash != parent);
  other = left;
  other.last_time.value += 1;
  CHECK(history_parent(other, right).hash != parent);

  const BlockId block{};
  const Hash base = history_leaf(block, U256(1), UnixMillis{1}, UnixMillis{1}).hash;
  CHECK(history_leaf(block, U256(2), UnixMillis{1}, UnixMillis{1}).hash != base);
  CHECK(history_leaf(block, U256(1), UnixMillis{2}, UnixMillis{1}).hash != base);
  CHECK(history_leaf(block, U256(1), UnixMillis{1}, UnixMillis{2}).hash != base);
}

TEST_CASE("work that no number holds stays at the greatest") {
  const HistoryNode heavy = history_leaf(BlockId{}, U256::max(), UnixMillis{1}, UnixMillis{2});
  CHECK(history_parent(heavy, heavy).work == U256::max());
}

TEST_CASE("a node comes back from its octets, and nothing else does") {
  const HistoryNode node = history_parent(leaf(3), leaf(4));
  const Bytes bytes = encode_history_node(node);
  CHECK(bytes.size() == 88);
  CHECK(decode_history_node(bytes).value() == node);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    REQUIRE_FALSE(decode_history_node(ByteView(bytes).substr(0, size)));
  CHECK_FALSE(decode_history_node(bytes + '\0'));
  HistoryNode empty = node;
  empty.blocks = 0;
  CHECK_FALSE(decode_history_node(encode_history_node(empty)));
}

TEST_CASE("a restored history goes on where the other one stopped") {
  History history;
  for (std::uint64_t i = 0; i < 100; ++i) {
    auto restored = History::restore(history.peaks());
    REQUIRE(restored);
    restored->append(leaf(i));
    history.append(leaf(i));
    REQUIRE(restored->root() == history.root());
  }
}

TEST_CASE("peaks that no history has are refused") {
  const HistoryNode one = leaf(0);
  const HistoryNode two = history_parent(leaf(1), leaf(2));
  const HistoryNode three = history_parent(two, one);
  CHECK(History::restore({}));
  CHECK(History::restore({two, one}));
  CHECK_FALSE(History::restore({one, two}));
  CHECK_FALSE(History::restore({one, one}));
  CHECK(History::restore({three}).error().code == ErrorCode::kCorrupt);
  HistoryNode none = one;
  none.blocks = 0;
  CHECK_FALSE(History::restore({none}));
}

TEST_CASE("a path leads from every block to the root over every later number of blocks") {
  History history;
  std::vector<HistoryNode> made;
  const HistoryReader read = [&made](std::uint64_t number) -> Result<HistoryNode> {
    REQUIRE(number < made.size());
    return made[number];
  };
  for (std::uint64_t blocks = 1; blocks <= 70; ++blocks) {
    history.append(leaf(blocks - 1), &made);
    U256 work;  // of the blocks from `height` on
    for (std::uint64_t height = blocks; height-- > 0;) {
      INFO("block ", height, " of ", blocks);
      work = work + U256(100 + height);
      const auto path = history_path(Height{height}, blocks, read);
      REQUIRE(path);
      const auto climb = climb_history(Height{height}, blocks, leaf(height), *path);
      REQUIRE(climb);
      REQUIRE(history_root(climb->top) == history.root());
      REQUIRE(climb->top.work == history.total_work());
      REQUIRE(climb->top.blocks == blocks);
      REQUIRE(climb->work_from_leaf == work);
    }
  }
  CHECK(history_path(Height{70}, 70, read).error().code == ErrorCode::kInvalid);
}

TEST_CASE("a node's number is its place among those made") {
  History history;
  std::vector<HistoryNode> made;
  for (std::uint64_t i = 0; i < 64; ++i) history.append(leaf(i), &made);
  for (unsigned level = 0; level <= 6; ++level) {
    for (std::uint64_t index = 0; (index + 1) << level <= 64; ++index) {
      INFO("level ", level, " index ", index);
      const std::uint64_t number = history_node_number(level, index);
      REQUIRE(number < made.size());
      REQUIRE(made[number] == naive_range(index << level, (index + 1) << level));
    }
  }
}

TEST_CASE("another block, place, number or path leads elsewhere or nowhere") {
  History history;
  std::vector<HistoryNode> made;
  for (std::uint64_t i = 0; i < 13; ++i) history.append(leaf(i), &made);
  const HistoryReader read = [&made](std::uint64_t number) -> Result<HistoryNode> {
    return made[number];
  };
  const auto leads = [&](std::uint64_t height, std::uint64_t blocks, const HistoryNode& from,
                         const std::vector<HistoryNode>& path) {
    const auto climb = climb_history(Height{height}, blocks, from, path);
    return climb && history_root(climb->top) == history.root();
  };
  for (std::uint64_t height = 0; height < 13; ++height) {
    INFO("block ", height);
    const auto path = history_path(Height{height}, 13, read).value();
    REQUIRE(leads(height, 13, leaf(height), path));
    CHECK_FALSE(leads(height, 13, leaf(height + 1), path));
    for (std::uint64_t other = 0; other < 15; ++other)
      if (other != height) CHECK_FALSE(leads(other, 13, leaf(height), path));
    for (std::size_t i = 0; i < path.size(); ++i) {
      auto changed = path;
      changed[i].work = changed[i].work + U256(1);
      CHECK_FALSE(leads(height, 13, leaf(height), changed));
      changed = path;
      changed[i].blocks += 1;
      CHECK_FALSE(leads(height, 13, leaf(height), changed));
      changed = path;
      changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
      CHECK_FALSE(leads(height, 13, leaf(height), changed));
    }
    auto longer = path;
    longer.push_back(leaf(3));
    CHECK_FALSE(leads(height, 13, leaf(height), longer));
  }
}

TEST_CASE("what cannot be read ends the path with the reader's own words") {
  const HistoryReader read = [](std::uint64_t) -> Result<HistoryNode> {
    return fail(ErrorCode::kCorrupt, "rotten");
  };
  CHECK(history_path(Height{1}, 7, read).error().message == "rotten");
}
