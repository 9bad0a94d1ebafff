#include "chain/log_tree.h"

#include <fmt/format.h>

#include <bit>

#include "chain/encoding.h"
#include "chain/hash.h"

namespace eventchain::chain {

namespace {

// RFC 6962 keeps leaves and nodes apart by their first octet, so that no node passes for a leaf.
constexpr ByteView kLeafPrefix("\x00", 1);
constexpr ByteView kNodePrefix("\x01", 1);
constexpr unsigned kStoredLevels = 8;  // every eighth level is stored

// Computes what the store does not hold. The ranges asked for begin at a multiple of the greatest
// power of two in their length, as all ranges of RFC 6962's recursion do.
class Subtrees {
 public:
  explicit Subtrees(const TreeReader& read) : read_(read) {}

  // Root of a complete subtree: at most 2^7 reads.
  Result<Hash> complete(unsigned level, std::uint64_t index) const {
    if (level % kStoredLevels == 0) return read_(static_cast<std::uint8_t>(level), index);
    const auto left = complete(level - 1, 2 * index);
    if (!left) return left;
    const auto right = complete(level - 1, 2 * index + 1);
    if (!right) return right;
    return tree_node(*left, *right);
  }

  // MTH(D[begin : begin + size]); size > 0.
  Result<Hash> range(std::uint64_t begin, std::uint64_t size) const {
    if (std::has_single_bit(size)) {
      const auto level = static_cast<unsigned>(std::countr_zero(size));
      return complete(level, begin >> level);
    }
    const std::uint64_t split = std::bit_floor(size);
    const auto left = range(begin, split);
    if (!left) return left;
    const auto right = range(begin + split, size - split);
    if (!right) return right;
    return tree_node(*left, *right);
  }

 private:
  const TreeReader& read_;
};

// RFC 6962's k: the greatest power of two smaller than `size`; size > 1.
std::uint64_t split_point(std::uint64_t size) {
  return std::bit_floor(size - 1);
}

void step_up(std::uint64_t& first, std::uint64_t& last) {
  first >>= 1;
  last >>= 1;
}

// Up to where `first` is a right child (or the left edge): the levels between have no sibling.
void skip_levels_without_sibling(std::uint64_t& first, std::uint64_t& last) {
  while (first != 0 && (first & 1) == 0) step_up(first, last);
}

}  // namespace

Bytes log_entry(const Commitment& commitment) {
  return Bytes(1, static_cast<char>(kEncodingVersion)).append(commitment.view());
}

Hash log_leaf(const Commitment& commitment) {
  constexpr char kVersion[] = {static_cast<char>(kEncodingVersion)};
  return sha256({kLeafPrefix, ByteView(kVersion, sizeof(kVersion)), commitment.view()});
}

Hash tree_leaf(ByteView entry) {
  return sha256({kLeafPrefix, entry});
}

Hash tree_node(const Hash& left, const Hash& right) {
  return sha256({kNodePrefix, left.view(), right.view()});
}

Hash empty_tree_root() {
  return sha256(ByteView());
}

Result<LogTree> LogTree::restore(std::uint64_t size, std::vector<Hash> peaks) {
  const auto expected = static_cast<std::size_t>(std::popcount(size));
  if (peaks.size() != expected)
    return fail(ErrorCode::kCorrupt,
                fmt::format("the log tree of {} entries has {} peaks but {} were stored; restore "
                            "the database from a backup or from another node",
                            size, expected, peaks.size()));
  LogTree tree;
  tree.size_ = size;
  tree.peaks_ = std::move(peaks);
  return tree;
}

void LogTree::append(const Hash& leaf, std::vector<TreeHash>* completed) {
  TreeHash node{0, size_, leaf};
  if (completed != nullptr) completed->push_back(node);
  // Like a binary counter: each one-bit at the low end is a peak of the same size to merge with.
  while ((node.index & 1) != 0) {
    node.hash = tree_node(peaks_.back(), node.hash);
    peaks_.pop_back();
    ++node.level;
    node.index >>= 1;
    if (completed != nullptr && node.level % kStoredLevels == 0) completed->push_back(node);
  }
  peaks_.push_back(node.hash);
  ++size_;
}

Hash LogTree::root() const {
  if (peaks_.empty()) return empty_tree_root();
  Hash root = peaks_.back();
  for (std::size_t i = peaks_.size() - 1; i-- > 0;) root = tree_node(peaks_[i], root);
  return root;
}

Result<std::vector<Hash>> inclusion_proof(std::uint64_t index, std::uint64_t size,
                                          const TreeReader& read) {
  if (index >= size)
    return fail(ErrorCode::kInvalid,
                fmt::format("position {} is not in the log of {} entries; ask for a position "
                            "below the size",
                            index, size));
  const Subtrees subtrees(read);
  std::vector<Hash> path;  // from the root down, turned round at the end
  std::uint64_t begin = 0;
  while (size > 1) {
    const std::uint64_t split = split_point(size);
    const bool is_left = index - begin < split;
    const auto sibling =
        is_left ? subtrees.range(begin + split, size - split) : subtrees.range(begin, split);
    if (!sibling) return tl::unexpected<Error>(sibling.error());
    path.push_back(*sibling);
    if (!is_left) begin += split;
    size = is_left ? split : size - split;
  }
  return std::vector<Hash>(path.rbegin(), path.rend());
}

Result<std::vector<Hash>> consistency_proof(std::uint64_t old_size, std::uint64_t new_size,
                                            const TreeReader& read) {
  if (old_size > new_size)
    return fail(ErrorCode::kInvalid,
                fmt::format("a log of {} entries cannot grow into one of {}; swap the sizes",
                            old_size, new_size));
  if (old_size == 0 || old_size == new_size) return std::vector<Hash>();
  // SUBPROOF(m, D[n], b) as a loop: the range narrows to the one in which the old tree ends.
  const Subtrees subtrees(read);
  std::vector<Hash> path;
  std::uint64_t begin = 0;
  std::uint64_t size = new_size;
  bool is_known = true;  // RFC 6962's b: the verifier has this range's root, it is the old root
  while (old_size - begin < size) {
    const std::uint64_t split = split_point(size);
    const bool is_left = old_size - begin <= split;
    const auto sibling =
        is_left ? subtrees.range(begin + split, size - split) : subtrees.range(begin, split);
    if (!sibling) return tl::unexpected<Error>(sibling.error());
    path.push_back(*sibling);
    if (!is_left) {
      begin += split;
      is_known = false;
    }
    size = is_left ? split : size - split;
  }
  if (!is_known) {
    const auto last = subtrees.range(begin, size);
    if (!last) return tl::unexpected<Error>(last.error());
    path.push_back(*last);
  }
  return std::vector<Hash>(path.rbegin(), path.rend());
}

Result<Hash> root_at(std::uint64_t size, const TreeReader& read) {
  if (size == 0) return empty_tree_root();
  return Subtrees(read).range(0, size);
}

bool verify_inclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf,
                      const std::vector<Hash>& path, const Hash& root) {
  if (index >= size) return false;
  std::uint64_t node = index;
  std::uint64_t last = size - 1;
  Hash hash = leaf;
  for (const Hash& sibling : path) {
    if (last == 0) return false;
    if ((node & 1) != 0 || node == last) {
      hash = tree_node(sibling, hash);
      skip_levels_without_sibling(node, last);
    } else {
      hash = tree_node(hash, sibling);
    }
    step_up(node, last);
  }
  return last == 0 && hash == root;
}

bool verify_consistency(std::uint64_t old_size, std::uint64_t new_size, const Hash& old_root,
                        const Hash& new_root, const std::vector<Hash>& path) {
  if (old_size > new_size) return false;
  // The RFC leaves the empty tree out. It is the beginning of every tree; nothing needs a proof.
  if (old_size == 0) {
    const bool is_new_right = new_size > 0 || new_root == empty_tree_root();
    return path.empty() && old_root == empty_tree_root() && is_new_right;
  }
  if (old_size == new_size) return path.empty() && old_root == new_root;
  if (path.empty()) return false;

  std::uint64_t node = old_size - 1;
  std::uint64_t last = new_size - 1;
  while ((node & 1) != 0) step_up(node, last);
  // An old tree that is complete is a subtree of the new one; its root is not sent.
  const bool is_complete = std::has_single_bit(old_size);
  Hash old_hash = is_complete ? old_root : path.front();
  Hash new_hash = old_hash;
  for (std::size_t i = is_complete ? 0 : 1; i < path.size(); ++i) {
    if (last == 0) return false;
    if ((node & 1) != 0 || node == last) {
      old_hash = tree_node(path[i], old_hash);
      new_hash = tree_node(path[i], new_hash);
      skip_levels_without_sibling(node, last);
    } else {
      new_hash = tree_node(new_hash, path[i]);
    }
    step_up(node, last);
  }
  return last == 0 && old_hash == old_root && new_hash == new_root;
}

}  // namespace eventchain::chain
