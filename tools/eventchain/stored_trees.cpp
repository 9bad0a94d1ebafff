#include "tools/eventchain/stored_trees.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/sqlite/columns.h"

namespace eventchain::tools {

namespace {

constexpr std::size_t kTileHashes = 256;
constexpr std::size_t kNodesAtOnce = 1024;

}  // namespace

void StoredTrees::add(const std::vector<chain::TreeHash>& hashes) {
  for (const chain::TreeHash& hash : hashes) {
    const auto [at, is_first] = tiles_.try_emplace(hash.level);
    Tile& tile = at->second;
    if (tile.hashes.empty()) {
      tile.number = hash.index / kTileHashes;
      ++tiles_begun_;
    }
    tile.hashes.push_back(hash.hash);
    if (tile.hashes.size() < kTileHashes) continue;
    compare(hash.level, tile);
    tile.hashes.clear();
  }
}

void StoredTrees::compare(unsigned level, const Tile& tile) {
  // Of the first event below the hash at `offset`.
  const auto position_of = [&](std::size_t offset) {
    return (tile.number * kTileHashes + offset) << level;
  };
  const auto bad = [&](std::size_t offset, const std::string& what) {
    findings_.add({"log-tree", position_of(offset),
                   fmt::format("tile {} of level {}: {}", tile.number, level, what)});
  };
  const auto stored = scan_.tile(level, tile.number);
  if (!stored) return bad(0, stored.error().message);
  const chain::Bytes expected = store::pack_hashes(tile.hashes);
  if (*stored == expected) return;
  if (stored->empty()) return bad(0, "it is missing");
  const auto differs = std::ranges::mismatch(*stored, expected).in2 - expected.begin();
  const std::size_t offset = static_cast<std::size_t>(differs) / chain::Hash::kSize;
  if (offset < tile.hashes.size())
    bad(offset, fmt::format("hash {} is not that of the events below it", offset));
  else
    unless_grown_.add(
        {"log-tree", position_of(offset),
         fmt::format("tile {} of level {} has more hashes than the log", tile.number, level)});
}

void StoredTrees::add(const std::vector<chain::HistoryNode>& nodes) {
  nodes_.insert(nodes_.end(), nodes.begin(), nodes.end());
  if (nodes_.size() >= kNodesAtOnce) compare_nodes();
}

void StoredTrees::compare_nodes() {
  const std::uint64_t end = nodes_compared_ + nodes_.size();
  std::uint64_t next = nodes_compared_;
  const auto bad = [&](std::uint64_t place, const char* what) {
    findings_.add({"history", place, what});
  };
  const auto read =
      scan_.history_nodes(nodes_compared_, end, [&](std::uint64_t place, chain::ByteView encoded) {
        for (; next < place; ++next) bad(next, "the node is missing");
        ++next;
        if (chain::encode_history_node(nodes_[place - nodes_compared_]) != encoded)
          bad(place, "the node is not that of the blocks below it");
      });
  if (!read)
    findings_.add({"database", 0, read.error().message});
  else
    for (; next < end; ++next) bad(next, "the node is missing");
  nodes_compared_ = end;
  nodes_.clear();
}

void StoredTrees::finish(const store::ChainScan::Extent& extent) {
  for (const auto& [level, tile] : tiles_)
    if (!tile.hashes.empty()) compare(level, tile);
  compare_nodes();
  if (extent.tiles > tiles_begun_)
    findings_.add({"log-tree", 0,
                   fmt::format("{} tiles are stored, the log has {}", extent.tiles, tiles_begun_)});
  if (extent.history_nodes > nodes_compared_)
    findings_.add({"history", nodes_compared_,
                   fmt::format("{} nodes are stored, the blocks make {}", extent.history_nodes,
                               nodes_compared_)});
}

}  // namespace eventchain::tools
