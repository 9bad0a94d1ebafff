#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "chain/block.h"
#include "chain/u256.h"
#include "mining/kernels/kernel.h"

namespace eventchain::mining {

// The work function sha256: finds the nonces of one template whose share value is at most the
// target. Owned by one thread; no clocks, no threads inside. set_template(), then set_tile(), then
// scan() as often as wanted. Every share it returns has been confirmed with chain::sha256, so a
// wrong kernel could lose shares but never invent one.
class Sha256Search {
 public:
  static constexpr std::size_t kTileWidth = kernels::kTileWidth;

  explicit Sha256Search(const kernels::Kernel& kernel);

  // `preimage` with zeros in place of the nonce.
  void set_template(const chain::SharePreimage& preimage, const chain::U256& target);
  // The values of nonce.high that scan() goes through; computes their midstates (about 50 us).
  void set_tile(std::span<const std::uint64_t, kTileWidth> nonce_highs);

  // Appends the shares of the tile with nonce.low in `range`, which is a range of low_at()
  // arguments: range.count <= max_rows(), no wrap. Returns the number of hashes computed.
  std::uint64_t scan(kernels::ScanRange range, std::vector<chain::Nonce>& shares);
  [[nodiscard]] std::uint32_t max_rows() const { return kernel_.quantum; }

  // The kernels count in W12, the searched word as SHA-256 reads it. nonce.low stands in the
  // preimage the other way round.
  static std::uint32_t low_at(std::uint32_t word12);

 private:
  [[nodiscard]] bool is_share(const chain::Nonce& nonce);

  // constant after construction
  const kernels::Kernel kernel_;

  // owned by the thread
  chain::SharePreimage preimage_;
  chain::U256 target_;
  std::uint32_t threshold_ = 0;  // the target's top word: what the kernels filter by
  kernels::Tile tile_;
  std::vector<std::uint64_t> nonce_highs_;
  std::vector<kernels::Hit> hits_;
};

}  // namespace eventchain::mining
