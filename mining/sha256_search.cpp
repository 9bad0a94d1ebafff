#include "mining/sha256_search.h"

#include "chain/hash.h"
#include "chain/result.h"

namespace eventchain::mining {
namespace {

using kernels::BlockWords;
using kernels::State;

constexpr std::size_t kBlockSize = 64;

std::uint32_t big_endian_word(const std::uint8_t* from) {
  return (std::uint32_t{from[0]} << 24) | (std::uint32_t{from[1]} << 16) |
         (std::uint32_t{from[2]} << 8) | std::uint32_t{from[3]};
}

BlockWords first_block(const chain::SharePreimage& preimage) {
  BlockWords words{};
  for (std::size_t i = 0; i < words.size(); ++i)
    words[i] = big_endian_word(preimage.octets.data() + 4 * i);
  return words;
}

// Block 2 ends in SHA-256's padding: a one bit, zeros, the length in bits.
BlockWords second_block(const chain::SharePreimage& preimage) {
  BlockWords words{};
  for (std::size_t i = 0; i < kernels::kSearchedWord; ++i)
    words[i] = big_endian_word(preimage.octets.data() + kBlockSize + 4 * i);
  words[13] = 0x80000000;
  words[15] = chain::kSharePreimageSize * 8;
  return words;
}

}  // namespace

Sha256Search::Sha256Search(const kernels::Kernel& kernel)
    : kernel_(kernel), nonce_highs_(kTileWidth), hits_(kernel.quantum * kTileWidth) {}

void Sha256Search::set_template(const chain::SharePreimage& preimage, const chain::U256& target) {
  static_assert(chain::kNonceHighOffset + 8 <= kBlockSize);
  static_assert(chain::kNonceLowOffset == kBlockSize + 4 * kernels::kSearchedWord);
  preimage_ = preimage;
  chain::set_nonce(preimage_, {});
  target_ = target;
  threshold_ = static_cast<std::uint32_t>(target.limbs()[3] >> 32);
  tile_.tail = second_block(preimage_);
}

void Sha256Search::set_tile(std::span<const std::uint64_t, kTileWidth> nonce_highs) {
  const kernels::Schedule tail_schedule = kernels::expand_schedule(tile_.tail);
  for (std::size_t column = 0; column < kTileWidth; ++column) {
    nonce_highs_[column] = nonce_highs[column];
    chain::set_nonce(preimage_, {.high = nonce_highs[column], .low = 0});
    const State chaining = kernels::compress(kernels::kInitialState, first_block(preimage_));
    const State open = kernels::run_rounds(chaining, tail_schedule, 0, kernels::kFirstOpenRound);
    tile_.put(column, open, kernel_.layout);
    tile_.last_chaining[column] = chaining.back();
  }
}

std::uint64_t Sha256Search::scan(kernels::ScanRange range, std::vector<chain::Nonce>& shares) {
  EC_ASSERT(range.count <= kernel_.quantum, "more rows than one call of a kernel takes");
  const std::size_t found = kernel_.scan(tile_, threshold_, range, hits_.data());
  for (std::size_t i = 0; i < found; ++i) {
    const chain::Nonce nonce{.high = nonce_highs_[hits_[i].column], .low = low_at(hits_[i].word12)};
    if (is_share(nonce)) shares.push_back(nonce);
  }
  return std::uint64_t{range.count} * kTileWidth;
}

std::uint32_t Sha256Search::low_at(std::uint32_t word12) {
  return __builtin_bswap32(word12);
}

bool Sha256Search::is_share(const chain::Nonce& nonce) {
  chain::set_nonce(preimage_, nonce);
  return chain::share_value(chain::sha256(preimage_.view())) <= target_;
}

}  // namespace eventchain::mining
