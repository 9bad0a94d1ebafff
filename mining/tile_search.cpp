#include "mining/tile_search.h"

#include <algorithm>
#include <array>
#include <limits>

#include "chain/result.h"

namespace eventchain::mining {

TileSearch::TileSearch(const kernels::Kernel& kernel, std::uint8_t thread, SearchPosition start)
    : thread_(thread),
      sha256_(kernel),
      position_{start.counter % chain::kNonceCounters, start.word12} {}

void TileSearch::switch_to(const WorkOrder& order) {
  slot_ = order.slot;
  sha256_.set_template(chain::share_preimage(order.header, chain::Nonce{}), order.target);
  has_order_ = true;
  load_tile();
}

std::uint64_t TileSearch::advance(std::vector<chain::Nonce>& shares) {
  EC_ASSERT(has_order_, "a search needs an order");
  const std::uint64_t rows_left =
      std::uint64_t{std::numeric_limits<std::uint32_t>::max()} - position_.word12 + 1;
  const auto rows =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(rows_left, sha256_.max_rows()));
  const std::uint64_t hashes = sha256_.scan({position_.word12, rows}, shares);
  if (rows < rows_left) {
    position_.word12 += rows;
  } else {
    position_ = {(position_.counter + Sha256Search::kTileWidth) % chain::kNonceCounters, 0};
    load_tile();
  }
  return hashes;
}

void TileSearch::load_tile() {
  std::array<std::uint64_t, Sha256Search::kTileWidth> nonce_highs{};
  for (std::size_t i = 0; i < nonce_highs.size(); ++i)
    nonce_highs[i] =
        chain::nonce_high(slot_, thread_, (position_.counter + i) % chain::kNonceCounters);
  sha256_.set_tile(nonce_highs);
}

SearchFactory tile_searches(const kernels::Kernel& kernel) {
  return [kernel](std::uint8_t thread, SearchPosition start) {
    return std::make_unique<TileSearch>(kernel, thread, start);
  };
}

}  // namespace eventchain::mining
