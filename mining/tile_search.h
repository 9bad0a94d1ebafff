#pragma once

#include <cstdint>
#include <vector>

#include "mining/search.h"
#include "mining/sha256_search.h"

namespace eventchain::mining {

// The search for the work function sha256, tile after tile, in quanta of well under a millisecond.
// Its position: `counter` is the first of a tile's 128 consecutive counters (modulo 2^40), `word12`
// the next row of it.
class TileSearch final : public Search {
 public:
  TileSearch(const kernels::Kernel& kernel, std::uint8_t thread, SearchPosition start = {});

  void switch_to(const WorkOrder& order) override;
  std::uint64_t advance(std::vector<chain::Nonce>& shares) override;

  [[nodiscard]] const SearchPosition& position() const { return position_; }

 private:
  void load_tile();

  // constant after construction
  const std::uint8_t thread_;

  // owned by the thread
  Sha256Search sha256_;
  chain::Slot slot_;
  SearchPosition position_;
  bool has_order_ = false;
};

SearchFactory tile_searches(const kernels::Kernel& kernel);

}  // namespace eventchain::mining
