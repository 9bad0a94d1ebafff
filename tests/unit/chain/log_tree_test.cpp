#include "chain/log_tree.h"

#include <doctest/doctest.h>

#include <bit>
#include <map>
#include <utility>

#include "chain/hash.h"
#include "chain/rng.h"
#include "golden_vectors.h"

using namespace eventchain::chain;

namespace {

Hash hash_of(std::string_view hex) {
  return Hash::from(from_hex(hex).value()).value();
}

std::vector<Hash> hashes_of(std::initializer_list<std::string_view> texts) {
  std::vector<Hash> hashes;
  for (std::string_view text : texts) hashes.push_back(hash_of(text));
  return hashes;
}

// What a store does: keeps the subtrees of levels 0, 8, 16.. and nothing else.
class StoredTree {
 public:
  void append(const Hash& leaf) {
    std::vector<TreeHash> completed;
    tree_.append(leaf, &completed);
    for (const TreeHash& node : completed) {
      REQUIRE(node.level % 8 == 0);
      REQUIRE(stored_.emplace(std::pair{node.level, node.index}, node.hash).second);
    }
  }

  [[nodiscard]] const LogTree& tree() const { return tree_; }
  [[nodiscard]] std::size_t stored() const { return stored_.size(); }

  TreeReader reader(std::size_t* reads = nullptr) const {
    return [this, reads](std::uint8_t level, std::uint64_t index) -> Result<Hash> {
      if (reads != nullptr) ++*reads;
      const auto found = stored_.find({level, index});
      if (found == stored_.end()) return fail(ErrorCode::kNotFound, "no such subtree");
      return found->second;
    };
  }

 private:
  LogTree tree_;
  std::map<std::pair<std::uint8_t, std::uint64_t>, Hash> stored_;
};

// The twin: the recursive definitions of RFC 6962, section 2.1, word for word.
class NaiveTree {
 public:
  std::vector<Hash> leaves;

  // MTH(D[begin:end])
  Hash root(std::size_t begin, std::size_t end) {
    if (begin == end) return sha256(ByteView());
    if (end - begin == 1) return leaves[begin];
    const auto known = roots_.find({begin, end});
    if (known != roots_.end()) return known->second;
    const std::size_t k = split(end - begin);
    const Hash result =
        sha256({ByteView("\x01", 1), root(begin, begin + k).view(), root(begin + k, end).view()});
    roots_[{begin, end}] = result;
    return result;
  }

  // PATH(m, D[begin:end])
  std::vector<Hash> path(std::size_t m, std::size_t begin, std::size_t end) {
    if (end - begin == 1) return {};
    const std::size_t k = split(end - begin);
    std::vector<Hash> result;
    if (m < k) {
      result = path(m, begin, begin + k);
      result.push_back(root(begin + k, end));
    } else {
      result = path(m - k, begin + k, end);
      result.push_back(root(begin, begin + k));
    }
    return result;
  }

  // SUBPROOF(m, D[begin:end], b)
  std::vector<Hash> subproof(std::size_t m, std::size_t begin, std::size_t end, bool b) {
    if (m == end - begin) return b ? std::vector<Hash>() : std::vector<Hash>{root(begin, end)};
    const std::size_t k = split(end - begin);
    std::vector<Hash> result;
    if (m <= k) {
      result = subproof(m, begin, begin + k, b);
      result.push_back(root(begin + k, end));
    } else {
      result = subproof(m - k, begin + k, end, false);
      result.push_back(root(begin, begin + k));
    }
    return result;
  }

 private:
  static std::size_t split(std::size_t n) {
    std::size_t k = 1;
    while (k * 2 < n) k *= 2;
    return k;
  }

  std::map<std::pair<std::size_t, std::size_t>, Hash> roots_;
};

Hash numbered_leaf(std::uint64_t number) {
  return tree_leaf("leaf " + std::to_string(number));
}

// A proof with one thing wrong: a bit, one hash less, one hash more, or two in the wrong order.
std::vector<Hash> spoiled(std::vector<Hash> path, Rng& rng) {
  switch (path.empty() ? 2 : rng.below(4)) {
    case 0:
      path[rng.below(path.size())].octets[rng.below(32)] ^=
          static_cast<std::uint8_t>(1U << rng.below(8));
      break;
    case 1:
      path.erase(path.begin() + static_cast<std::ptrdiff_t>(rng.below(path.size())));
      break;
    case 2:
      path.insert(path.begin() + static_cast<std::ptrdiff_t>(rng.below(path.size() + 1)),
                  numbered_leaf(rng.next()));
      break;
    default:
      if (path.size() < 2) {
        path.clear();
      } else {
        const std::size_t first = rng.below(path.size() - 1);
        std::swap(path[first], path[first + 1]);
      }
  }
  return path;
}

const std::vector<std::string_view> kInputs = {"",
                                               "00",
                                               "10",
                                               "2021",
                                               "3031",
                                               "40414243",
                                               "5051525354555657",
                                               "606162636465666768696a6b6c6d6e6f"};

StoredTree published_tree() {
  StoredTree tree;
  for (std::string_view input : kInputs) tree.append(tree_leaf(from_hex(input).value()));
  return tree;
}

}  // namespace

TEST_CASE("roots are those published with Certificate Transparency") {
  const std::vector<std::string_view> roots = {
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
      "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
      "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
      "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
      "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  LogTree tree;
  CHECK(to_hex(tree.root()) == roots[0]);
  for (std::size_t i = 0; i < kInputs.size(); ++i) {
    tree.append(tree_leaf(from_hex(kInputs[i]).value()));
    CHECK(to_hex(tree.root()) == roots[i + 1]);
  }
}

TEST_CASE("proofs are those published with Certificate Transparency") {
  const StoredTree tree = published_tree();
  const auto read = tree.reader();
  CHECK(inclusion_proof(0, 1, read).value().empty());
  CHECK(inclusion_proof(0, 8, read).value() ==
        hashes_of({"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                   "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                   "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}));
  CHECK(inclusion_proof(5, 8, read).value() ==
        hashes_of({"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                   "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                   "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}));
  CHECK(inclusion_proof(2, 3, read).value() ==
        hashes_of({"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}));

  CHECK(consistency_proof(1, 1, read).value().empty());
  CHECK(consistency_proof(1, 8, read).value() == inclusion_proof(0, 8, read).value());
  CHECK(consistency_proof(6, 8, read).value() ==
        hashes_of({"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                   "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                   "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}));
  CHECK(consistency_proof(2, 5, read).value() ==
        hashes_of({"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                   "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}));
}

TEST_CASE("the tree and every proof agree with the RFC's recursion, and no spoiled proof passes") {
  const std::uint64_t seed = 41;
  INFO("seed ", seed);
  Rng rng(seed);
  StoredTree tree;
  NaiveTree twin;
  const auto read = tree.reader();
  for (std::size_t size = 0; size <= 300; ++size) {
    INFO("size ", size);
    const Hash root = twin.root(0, size);
    REQUIRE(tree.tree().size() == size);
    REQUIRE(tree.tree().root() == root);
    REQUIRE(root_at(size, read).value() == root);

    // Every place in small trees and around 256; elsewhere every seventh, others each time.
    const bool is_edge = (size >= 127 && size <= 129) || (size >= 255 && size <= 257);
    const std::size_t step = size <= 40 || is_edge || size == 300 ? 1 : 7;
    for (std::size_t at = size % step; at < size; at += step) {
      INFO("position or old size ", at);
      const auto path = inclusion_proof(at, size, read).value();
      REQUIRE(path == twin.path(at, 0, size));
      REQUIRE(verify_inclusion(at, size, twin.leaves[at], path, root));
      REQUIRE_FALSE(verify_inclusion(at, size, twin.leaves[at], spoiled(path, rng), root));
      REQUIRE_FALSE(verify_inclusion(at, size, numbered_leaf(size + 1), path, root));
      REQUIRE_FALSE(verify_inclusion(at, size, twin.leaves[at], path, twin.root(0, size - 1)));
      const std::size_t elsewhere = rng.below(size);
      if (elsewhere != at)
        REQUIRE_FALSE(verify_inclusion(elsewhere, size, twin.leaves[at], path, root));

      const auto proof = consistency_proof(at, size, read).value();
      const Hash old_root = twin.root(0, at);
      if (at > 0) REQUIRE(proof == twin.subproof(at, 0, size, true));
      REQUIRE(verify_consistency(at, size, old_root, root, proof));
      REQUIRE_FALSE(verify_consistency(at, size, old_root, root, spoiled(proof, rng)));
      REQUIRE_FALSE(verify_consistency(at, size, root, old_root, proof));
      REQUIRE_FALSE(verify_consistency(at, size, twin.root(0, elsewhere + 1), root, proof) ==
                    (elsewhere + 1 != at));
    }
    twin.leaves.push_back(numbered_leaf(size));
    tree.append(twin.leaves.back());
  }
}

TEST_CASE("a tree is consistent with itself and with the empty tree, without a proof") {
  const StoredTree tree = published_tree();
  const Hash root = tree.tree().root();
  CHECK(consistency_proof(8, 8, tree.reader()).value().empty());
  CHECK(verify_consistency(8, 8, root, root, {}));
  CHECK_FALSE(verify_consistency(8, 8, root, empty_tree_root(), {}));
  CHECK_FALSE(verify_consistency(8, 8, root, root, {root}));

  CHECK(consistency_proof(0, 8, tree.reader()).value().empty());
  CHECK(verify_consistency(0, 8, empty_tree_root(), root, {}));
  CHECK(verify_consistency(0, 0, empty_tree_root(), empty_tree_root(), {}));
  CHECK_FALSE(verify_consistency(0, 0, empty_tree_root(), root, {}));
  CHECK_FALSE(verify_consistency(0, 8, root, root, {}));
  CHECK_FALSE(verify_consistency(0, 8, empty_tree_root(), root, {root}));
}

TEST_CASE("questions about what is not in the log are refused with the reason") {
  const StoredTree tree = published_tree();
  const auto past_the_end = inclusion_proof(8, 8, tree.reader());
  REQUIRE_FALSE(past_the_end);
  CHECK(past_the_end.error().code == ErrorCode::kInvalid);
  CHECK(past_the_end.error().message.find("position 8") != std::string::npos);
  const auto upside_down = consistency_proof(9, 8, tree.reader());
  REQUIRE_FALSE(upside_down);
  CHECK(upside_down.error().message.find("swap the sizes") != std::string::npos);
  CHECK_FALSE(verify_inclusion(8, 8, empty_tree_root(), {}, tree.tree().root()));
  CHECK_FALSE(verify_inclusion(0, 0, empty_tree_root(), {}, empty_tree_root()));
  CHECK_FALSE(verify_consistency(9, 8, tree.tree().root(), tree.tree().root(), {}));
}

TEST_CASE("an error of the store is passed through") {
  const StoredTree tree = published_tree();
  CHECK(root_at(9, tree.reader()).error().code == ErrorCode::kNotFound);
  CHECK(inclusion_proof(0, 9, tree.reader()).error().code == ErrorCode::kNotFound);
  CHECK(consistency_proof(3, 9, tree.reader()).error().code == ErrorCode::kNotFound);
}

TEST_CASE("a restored tree goes on where the other one stopped") {
  LogTree tree;
  for (std::uint64_t i = 0; i < 300; ++i) {
    auto restored = LogTree::restore(tree.size(), tree.peaks());
    REQUIRE(restored);
    REQUIRE(restored->root() == tree.root());
    restored->append(numbered_leaf(i));
    tree.append(numbered_leaf(i));
    REQUIRE(restored->root() == tree.root());
    REQUIRE(restored->peaks() == tree.peaks());
  }
  const auto broken = LogTree::restore(7, {empty_tree_root()});
  REQUIRE_FALSE(broken);
  CHECK(broken.error().code == ErrorCode::kCorrupt);
  CHECK_FALSE(LogTree::restore(0, {empty_tree_root()}));
}

TEST_CASE("a large tree stores every eighth level and proves from it with few reads") {
  const std::uint64_t seed = 42;
  INFO("seed ", seed);
  Rng rng(seed);
  constexpr std::uint64_t kSize = 66'000;  // past 2^16, so that level 16 comes into play
  StoredTree tree;
  std::map<std::uint64_t, Hash> roots;
  for (std::uint64_t i = 0; i < kSize; ++i) {
    tree.append(numbered_leaf(i));
    if (rng.chance(1, 1000) || (tree.tree().size() & 0xff) == 0)
      roots[tree.tree().size()] = tree.tree().root();
  }
  CHECK(tree.stored() == kSize + kSize / 256 + kSize / 65536);
  for (const auto& known : roots) {
    const std::uint64_t size = known.first;
    const Hash& root = known.second;
    INFO("size ", size);
    const std::uint64_t at = rng.below(size);
    std::size_t reads = 0;
    const auto path = inclusion_proof(at, size, tree.reader(&reads)).value();
    REQUIRE(verify_inclusion(at, size, numbered_leaf(at), path, root));
    const auto proof = consistency_proof(size, kSize, tree.reader(&reads)).value();
    REQUIRE(verify_consistency(size, kSize, root, tree.tree().root(), proof));
    REQUIRE_FALSE(verify_consistency(size, kSize, root, tree.tree().root(), spoiled(proof, rng)));
    // Two proofs; at most 255 reads in each of the three groups of eight levels.
    REQUIRE(reads <= 2 * 3 * 255);
  }
}

TEST_CASE("proofs hold up to the greatest size there can be") {
  // All leaves are alike, so that the root of any complete subtree is known.
  std::vector<Hash> levels = {tree_leaf("x")};
  while (levels.size() < 64) levels.push_back(tree_node(levels.back(), levels.back()));
  const TreeReader read = [&](std::uint8_t level, std::uint64_t) -> Result<Hash> {
    return levels.at(level);
  };
  const std::uint64_t seed = 43;
  INFO("seed ", seed);
  Rng rng(seed);
  for (int round = 0; round < 40; ++round) {
    const std::uint64_t size =
        round == 0 ? ~std::uint64_t{0} : std::max<std::uint64_t>(1, rng.next() >> rng.below(64));
    const std::uint64_t at = round == 0 ? size - 1 : rng.below(size);
    INFO("size ", size, " at ", at);
    const Hash root = root_at(size, read).value();
    const auto path = inclusion_proof(at, size, read).value();
    REQUIRE(verify_inclusion(at, size, levels[0], path, root));
    REQUIRE_FALSE(verify_inclusion(at, size, levels[1], path, root));
    const auto proof = consistency_proof(at, size, read).value();
    REQUIRE(verify_consistency(at, size, root_at(at, read).value(), root, proof));
  }
}

TEST_CASE("a log leaf is the tree leaf of version octet and commitment") {
  Commitment commitment;
  for (std::size_t i = 0; i < 32; ++i) commitment.octets[i] = static_cast<std::uint8_t>(i);
  CHECK(log_leaf(commitment) == tree_leaf("\x01" + std::string(commitment.view())));
  const Bytes golden = from_hex(golden_vector("commitment")).value();
  CHECK(to_hex(log_leaf(Commitment::from(golden).value())) == golden_vector("log-leaf"));
}
