#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "chain/result.h"
#include "chain/types.h"

namespace eventchain::chain {

// The Merkle tree of RFC 6962, section 2.1 (RFC 9162 section 2.1): leaf prefix 0x00, node prefix
// 0x01. One tree over all entries ever; entry = version octet || commitment.
Bytes log_entry(const Commitment& commitment);
Hash log_leaf(const Commitment& commitment);  // of its entry
Hash tree_leaf(ByteView entry);               // SHA-256(0x00 || entry)
Hash tree_node(const Hash& left, const Hash& right);
Hash empty_tree_root();  // SHA-256("")

// A complete subtree's root: level 0 is a leaf, `index` counts subtrees of that level.
struct TreeHash {
  std::uint8_t level;
  std::uint64_t index;
  Hash hash;
  bool operator==(const TreeHash&) const = default;
};

// The right edge of the tree: enough to append and to know the root, O(log n) memory.
class LogTree {
 public:
  LogTree() = default;
  // `peaks`: roots of the complete subtrees from the left (largest) to the right, as many as
  // `size` has one-bits; an error otherwise.
  static Result<LogTree> restore(std::uint64_t size, std::vector<Hash> peaks);

  // Appends a leaf hash. Each subtree thereby completed whose level is a multiple of 8 (what C2SP
  // tiles store; the rest is recomputed from these) goes to `completed` if it is not null.
  void append(const Hash& leaf, std::vector<TreeHash>* completed = nullptr);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] Hash root() const;
  [[nodiscard]] const std::vector<Hash>& peaks() const { return peaks_; }

 private:
  std::uint64_t size_ = 0;
  std::vector<Hash> peaks_;
};

// Reads stored subtree roots (levels 0, 8, 16, ..); an error is passed through.
using TreeReader = std::function<Result<Hash>(std::uint8_t level, std::uint64_t index)>;

// Audit path of leaf `index` in the tree of `size` leaves (RFC 6962 section 2.1.1).
Result<std::vector<Hash>> inclusion_proof(std::uint64_t index, std::uint64_t size,
                                          const TreeReader& read);
// Consistency proof between the trees of the first `old_size` and `new_size` leaves (2.1.2).
Result<std::vector<Hash>> consistency_proof(std::uint64_t old_size, std::uint64_t new_size,
                                            const TreeReader& read);
Result<Hash> root_at(std::uint64_t size, const TreeReader& read);

// RFC 9162 sections 2.1.3.2 and 2.1.4.2. False for anything that does not prove it.
bool verify_inclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf,
                      const std::vector<Hash>& path, const Hash& root);
bool verify_consistency(std::uint64_t old_size, std::uint64_t new_size, const Hash& old_root,
                        const Hash& new_root, const std::vector<Hash>& path);

}  // namespace eventchain::chain
