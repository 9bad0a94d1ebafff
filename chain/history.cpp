#include "chain/history.h"

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
  Writer preimage(16 + kNodeSize);
  preimage.header(kRootTag);
  if (!peaks_.empty()) {
    HistoryNode bagged = peaks_.back();
    for (std::size_t i = peaks_.size() - 1; i-- > 0;) bagged = history_parent(peaks_[i], bagged);
    preimage.raw(encode_history_node(bagged));
  }
  return sha256(preimage.take());
}

}  // namespace eventchain::chain
