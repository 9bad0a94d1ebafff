#pragma once

#include <openssl/sha.h>

#include <array>
#include <cstdint>
#include <vector>

#include "chain/block.h"
#include "chain/rng.h"
#include "mining/work.h"

// What mining's tests compare with: one hash after the other, computed by OpenSSL and read word by
// word as the format says.
namespace eventchain::mining::reference {

inline std::uint8_t random_octet(chain::Rng& rng) {
  return static_cast<std::uint8_t>(rng.next() >> 56);
}

template <class Kind>
Kind random_octets(chain::Rng& rng) {
  Kind result;
  for (std::uint8_t& octet : result.octets) octet = random_octet(rng);
  return result;
}

// A target that about one hash in 2^zero_bits meets, its lower words random. zero_bits < 32.
inline chain::U256 random_target(chain::Rng& rng, unsigned zero_bits) {
  const std::uint64_t top = (std::uint64_t{0xffffffff} >> zero_bits) << 32;
  return chain::U256::from_limbs({rng.next(), rng.next(), rng.next(), top | (rng.next() >> 32)});
}

inline WorkOrder random_order(chain::Rng& rng, unsigned zero_bits) {
  WorkOrder order;
  order.header.chain = random_octets<chain::ChainId>(rng);
  order.header.parent = random_octets<chain::BlockId>(rng);
  order.header.log_root = random_octets<chain::Hash>(rng);
  order.header.height = chain::Height{rng.next()};
  order.header.share_target = chain::compact(random_target(rng, zero_bits));
  order.template_hash = chain::template_hash(order.header);
  order.slot = chain::Slot{static_cast<std::uint16_t>(rng.next())};
  order.target = random_target(rng, zero_bits);
  return order;
}

// H7, H6, .. H0.
using ShareWords = std::array<std::uint32_t, 8>;

inline ShareWords share_words(const chain::SharePreimage& preimage) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(preimage.octets.data(), preimage.octets.size(), digest.data());
  ShareWords words{};
  for (std::size_t i = 0; i < digest.size(); ++i)
    words[7 - i / 4] = words[7 - i / 4] << 8 | digest[i];
  return words;
}

inline ShareWords target_words(const chain::U256& target) {
  ShareWords words{};
  for (std::size_t i = 0; i < words.size(); ++i)
    words[7 - i] = static_cast<std::uint32_t>(target.limbs()[i / 2] >> (32 * (i % 2)));
  return words;
}

// `preimage` with the nonce written over its place.
inline chain::SharePreimage with_nonce(chain::SharePreimage preimage, const chain::Nonce& nonce) {
  for (std::size_t i = 0; i < 8; ++i)
    preimage.octets[36 + i] = static_cast<std::uint8_t>(nonce.high >> (8 * i));
  for (std::size_t i = 0; i < 4; ++i)
    preimage.octets[112 + i] = static_cast<std::uint8_t>(nonce.low >> (8 * i));
  return preimage;
}

inline ShareWords share_words(const WorkOrder& order, const chain::Nonce& nonce) {
  return share_words(with_nonce(chain::share_preimage(order.header, {}), nonce));
}

inline bool is_share(const WorkOrder& order, const chain::Nonce& nonce) {
  return share_words(order, nonce) <= target_words(order.target);
}

}  // namespace eventchain::mining::reference
