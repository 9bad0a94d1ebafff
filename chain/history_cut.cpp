#include "chain/history_cut.h"

#include <algorithm>
#include <bit>

namespace eventchain::chain {

namespace {

// The blocks below a node. Its children split it as RFC 9162 has it.
struct Range {
  std::uint64_t begin = 0;
  std::uint64_t size = 0;

  [[nodiscard]] Range left() const { return {begin, std::bit_floor(size - 1)}; }
  [[nodiscard]] Range right() const { return {begin + left().size, size - left().size}; }
};

Result<void> cut(Range range, std::span<const Height> shown, const HistoryReader& read,
                 std::vector<HistoryNode>& nodes) {
  if (shown.empty()) {
    const auto node = history_range(range.begin, range.size, read);
    if (!node) return tl::unexpected<Error>(node.error());
    nodes.push_back(*node);
    return {};
  }
  if (range.size == 1) return {};
  const auto middle = std::ranges::lower_bound(shown, Height{range.right().begin});
  const auto split = static_cast<std::size_t>(middle - shown.begin());
  if (const auto done = cut(range.left(), shown.first(split), read, nodes); !done) return done;
  return cut(range.right(), shown.subspan(split), read, nodes);
}

Result<void> descend(Range range, const U256& before, std::span<const U256> places,
                     const HistoryReader& read, std::vector<Height>& heights) {
  if (places.empty()) return {};
  if (range.size == 1) {
    heights.push_back(Height{range.begin});
    return {};
  }
  const auto left = history_range(range.left().begin, range.left().size, read);
  if (!left) return tl::unexpected<Error>(left.error());
  const U256 middle = saturating_add(before, left->work);
  const auto behind = std::ranges::lower_bound(places, middle);
  const auto split = static_cast<std::size_t>(behind - places.begin());
  if (const auto done = descend(range.left(), before, places.first(split), read, heights); !done)
    return done;
  return descend(range.right(), middle, places.subspan(split), read, heights);
}

// Puts the nodes back, then goes down once more to tell what lies on each side of every leaf.
class Folding {
 public:
  Folding(const std::vector<ShownLeaf>& shown, const std::vector<HistoryNode>& nodes)
      : shown_(shown), nodes_(nodes) {}

  std::optional<FoldedHistory> run(std::uint64_t blocks) {
    const auto top = fold({0, blocks}, shown_);
    if (!top || used_ != nodes_.size()) return std::nullopt;
    FoldedHistory folded{made_[*top].node, {}};
    folded.places.reserve(shown_.size());
    place({0, blocks}, shown_, *top, {}, folded.places);
    return folded;
  }

 private:
  using Leaves = std::span<const ShownLeaf>;
  struct Made {
    HistoryNode node;
    std::size_t left = 0, right = 0;  // among `made_`, of a node that is neither leaf nor cut
  };
  struct Sides {
    std::vector<HistoryNode> peaks;  // over what lies to the left, largest first
    std::optional<UnixMillis> time_after;
  };

  static std::size_t split(Range range, Leaves leaves) {
    const auto middle =
        std::ranges::lower_bound(leaves, Height{range.right().begin}, {}, &ShownLeaf::height);
    return static_cast<std::size_t>(middle - leaves.begin());
  }

  std::size_t keep(Made made) {
    made_.push_back(std::move(made));
    return made_.size() - 1;
  }

  std::optional<std::size_t> fold(Range range, Leaves leaves) {
    if (leaves.empty()) {
      if (used_ == nodes_.size() || nodes_[used_].blocks != range.size) return std::nullopt;
      return keep({nodes_[used_++]});
    }
    if (range.size == 1) return keep({leaves.front().leaf});
    const std::size_t middle = split(range, leaves);
    const auto left = fold(range.left(), leaves.first(middle));
    if (!left) return std::nullopt;
    const auto right = fold(range.right(), leaves.subspan(middle));
    if (!right) return std::nullopt;
    return keep({history_parent(made_[*left].node, made_[*right].node), *left, *right});
  }

  void place(Range range, Leaves leaves, std::size_t at, const Sides& sides,
             std::vector<HistoryPlace>& places) const {
    if (leaves.empty()) return;
    if (range.size == 1) return places.push_back(place_of(sides));
    const std::size_t middle = split(range, leaves);
    const Made& made = made_[at];
    Sides of_left = sides;
    of_left.time_after = made_[made.right].node.first_time;
    place(range.left(), leaves.first(middle), made.left, of_left, places);
    Sides of_right = sides;
    of_right.peaks.push_back(made_[made.left].node);
    place(range.right(), leaves.subspan(middle), made.right, of_right, places);
  }

  static HistoryPlace place_of(const Sides& sides) {
    // Left siblings on the way down have falling powers of two as block counts: they are the peaks.
    const auto before = History::restore(sides.peaks);
    EC_ASSERT(before.has_value(), "what lies to the left of a leaf are the peaks of a history");
    HistoryPlace place{before->total_work(), before->root(), std::nullopt, sides.time_after};
    if (!sides.peaks.empty()) place.sealed_before = sides.peaks.back().last_time;
    return place;
  }

  const std::vector<ShownLeaf>& shown_;
  const std::vector<HistoryNode>& nodes_;
  std::size_t used_ = 0;
  std::vector<Made> made_;
};

}  // namespace

Result<std::vector<HistoryNode>> cut_history(const std::vector<Height>& shown, std::uint64_t blocks,
                                             const HistoryReader& read) {
  std::vector<HistoryNode> nodes;
  if (blocks == 0) return nodes;
  if (const auto done = cut({0, blocks}, shown, read, nodes); !done)
    return tl::unexpected<Error>(done.error());
  return nodes;
}

Result<std::vector<Height>> heights_at(std::span<const U256> places, std::uint64_t blocks,
                                       const HistoryReader& read) {
  std::vector<Height> heights;
  if (const auto done = descend({0, blocks}, U256(), places, read, heights); !done)
    return tl::unexpected<Error>(done.error());
  return heights;
}

std::optional<FoldedHistory> fold_history(const std::vector<ShownLeaf>& shown, std::uint64_t blocks,
                                          const std::vector<HistoryNode>& nodes) {
  const auto is_not_ascending = [](const ShownLeaf& a, const ShownLeaf& b) {
    return a.height >= b.height;
  };
  if (blocks == 0 || std::ranges::adjacent_find(shown, is_not_ascending) != shown.end())
    return std::nullopt;
  if (!shown.empty() && shown.back().height.value >= blocks) return std::nullopt;
  if (std::ranges::any_of(shown, [](const ShownLeaf& one) { return one.leaf.blocks != 1; }))
    return std::nullopt;
  return Folding(shown, nodes).run(blocks);
}

}  // namespace eventchain::chain
