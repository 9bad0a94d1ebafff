#include "chain/history.h"

#include <fmt/format.h>

#include <bit>

#include "chain/encoding.h"
#include "chain/hash.h"

namespace eventchain::chain {

namespace {

// Leaf, parent and root have tags of their own: none of them passes for another.
constexpr std::string_view kLeafTag = "ec:history-leaf";
constexpr std::string_view kNodeTag = "ec:history-node";
constexpr std::string_view kRootTag = "ec:history-root";
constexpr std::size_t kNodeSize = 32 + 32 + 3 * 8;

}  // namespace

HistoryNode history_leaf(const BlockId& block, const U256& work, UnixMillis time,
                         UnixMillis sealed_at) {
  Writer preimage(16 + 32 + 32 + 16);
  preimage.header(kLeafTag).fixed(block).u256(work).i64(time.value).i64(sealed_at.value);
  return HistoryNode{sha256(preimage.take()), work, 1, time, sealed_at};
}

HistoryNode history_parent(const HistoryNode& left, const HistoryNode& right) {
  Writer preimage(16 + 2 * kNodeSize);
  preimage.header(kNodeTag).raw(encode_history_node(left)).raw(encode_history_node(right));
  return HistoryNode{sha256(preimage.take()), saturating_add(left.work, right.work),
                     left.blocks + right.blocks, left.first_time, right.last_time};
}

Bytes encode_history_node(const HistoryNode& node) {
  Writer writer(kNodeSize);
  writer.fixed(node.hash).u256(node.work).u64(node.blocks);
  writer.i64(node.first_time.value).i64(node.last_time.value);
  return writer.take();
}

Result<HistoryNode> decode_history_node(ByteView bytes) {
  Reader reader(bytes);
  HistoryNode node;
  node.hash = reader.fixed<Hash>();
  node.work = reader.u256();
  node.blocks = reader.u64();
  node.first_time.value = reader.i64();
  node.last_time.value = reader.i64();
  if (node.blocks == 0) reader.refuse("a node over no block");
  if (auto end = reader.finish("history node"); !end) return tl::unexpected<Error>(end.error());
  return node;
}

Result<History> History::restore(std::vector<HistoryNode> peaks) {
  for (std::size_t i = 0; i < peaks.size(); ++i) {
    const bool is_shrinking = i == 0 || peaks[i].blocks < peaks[i - 1].blocks;
    if (!is_shrinking || !std::has_single_bit(peaks[i].blocks))
      return fail(ErrorCode::kCorrupt,
                  "the peaks of the history do not have falling powers of two as block counts; "
                  "restore the database from a backup or from another node");
  }
  History history;
  history.peaks_ = std::move(peaks);
  return history;
}

void History::append(const HistoryNode& leaf, std::vector<HistoryNode>* made) {
  EC_ASSERT(leaf.blocks == 1, "only a single block is appended to the history");
  peaks_.push_back(leaf);
  if (made != nullptr) made->push_back(leaf);
  while (peaks_.size() > 1 && peaks_[peaks_.size() - 2].blocks == peaks_.back().blocks) {
    const HistoryNode right = peaks_.back();
    peaks_.pop_back();
    peaks_.back() = history_parent(peaks_.back(), right);
    if (made != nullptr) made->push_back(peaks_.back());
  }
}

std::uint64_t History::blocks() const {
  std::uint64_t sum = 0;
  for (const HistoryNode& peak : peaks_) sum += peak.blocks;
  return sum;
}

U256 History::total_work() const {
  U256 sum;
  for (const HistoryNode& peak : peaks_) sum = saturating_add(sum, peak.work);
  return sum;
}

Hash History::root() const {
  if (peaks_.empty()) return sha256(Writer(16).header(kRootTag).take());
  HistoryNode bagged = peaks_.back();
  for (std::size_t i = peaks_.size() - 1; i-- > 0;) bagged = history_parent(peaks_[i], bagged);
  return history_root(bagged);
}

Hash history_root(const HistoryNode& top) {
  return sha256(Writer(16 + kNodeSize).header(kRootTag).raw(encode_history_node(top)).take());
}

std::uint64_t history_node_number(unsigned level, std::uint64_t index) {
  // The last leaf below makes the node, after itself and the parents on the lower levels. n leaves
  // make 2n nodes but one for each peak.
  const std::uint64_t last_leaf = ((index + 1) << level) - 1;
  return 2 * last_leaf - static_cast<std::uint64_t>(std::popcount(last_leaf)) + level;
}

Result<HistoryNode> history_range(std::uint64_t begin, std::uint64_t size,
                                  const HistoryReader& read) {
  // Every complete subtree is kept, so only the right edge is folded.
  if (std::has_single_bit(size)) {
    const auto level = static_cast<unsigned>(std::countr_zero(size));
    return read(history_node_number(level, begin >> level));
  }
  const std::uint64_t split = std::bit_floor(size);
  const auto left = history_range(begin, split, read);
  if (!left) return left;
  const auto right = history_range(begin + split, size - split, read);
  if (!right) return right;
  return history_parent(*left, *right);
}

Result<std::vector<HistoryNode>> history_path(Height height, std::uint64_t blocks,
                                              const HistoryReader& read) {
  if (height.value >= blocks)
    return fail(ErrorCode::kInvalid,
                fmt::format("block {} is not among the first {}; ask for a later block's history",
                            height.value, blocks));
  std::vector<HistoryNode> path;  // from the root down, turned round at the end
  std::uint64_t begin = 0;
  std::uint64_t size = blocks;
  while (size > 1) {
    const std::uint64_t split = std::bit_floor(size - 1);
    const bool is_left = height.value - begin < split;
    const auto sibling = is_left ? history_range(begin + split, size - split, read)
                                 : history_range(begin, split, read);
    if (!sibling) return tl::unexpected<Error>(sibling.error());
    path.push_back(*sibling);
    if (!is_left) begin += split;
    size = is_left ? split : size - split;
  }
  return std::vector<HistoryNode>(path.rbegin(), path.rend());
}

std::optional<HistoryClimb> climb_history(Height height, std::uint64_t blocks,
                                          const HistoryNode& leaf,
                                          const std::vector<HistoryNode>& path) {
  if (height.value >= blocks) return std::nullopt;
  HistoryClimb climb{leaf, leaf.work};
  std::uint64_t node = height.value;
  std::uint64_t last = blocks - 1;
  for (const HistoryNode& sibling : path) {
    if (last == 0) return std::nullopt;
    if ((node & 1) != 0 || node == last) {
      climb.top = history_parent(sibling, climb.top);
      // A node at the right edge that is a left child has no sibling on its level.
      for (; node != 0 && (node & 1) == 0; node >>= 1) last >>= 1;
    } else {
      climb.top = history_parent(climb.top, sibling);
      climb.work_from_leaf = saturating_add(climb.work_from_leaf, sibling.work);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0) return std::nullopt;
  return climb;
}

}  // namespace eventchain::chain
