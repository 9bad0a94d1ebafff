#include <span>

#include "chain/block.h"
#include "chain/encoding.h"
#include "chain/hash.h"

// The hashed side of the proof of work: kept apart from the other encodings because its layout
// follows the hash function's blocks, not the order of meaning.
namespace eventchain::chain {

namespace {

void put_little_endian(std::span<std::uint8_t> to, std::uint64_t value) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

}  // namespace

std::uint64_t nonce_high(Slot slot, std::uint8_t thread, std::uint64_t counter) {
  EC_ASSERT(counter < kNonceCounters, "a counter has 40 bits");
  return std::uint64_t{slot.value} << 48 | std::uint64_t{thread} << 40 | counter;
}

SharePreimage share_preimage(const TemplateHeader& header, const Nonce& nonce) {
  return share_preimage(header, template_hash(header), nonce);
}

SharePreimage share_preimage(const TemplateHeader& header, const TemplateHash& hash,
                             const Nonce& nonce) {
  static constexpr char kZeros[20] = {};
  Writer writer(kSharePreimageSize);
  // First SHA-256 block: all that changes with nonce.high.
  writer.raw("EVC1").fixed(hash);
  EC_ASSERT(writer.size() == kNonceHighOffset, "set_nonce() writes over it");
  writer.u64(nonce.high).raw({kZeros, 20});
  // Second: constants of the template, and nonce.low as the last word, so that one message
  // schedule serves many first blocks.
  writer.fixed(header.chain).u64(header.height.value).u32(header.share_target.bits);
  writer.raw({kZeros, 4});
  EC_ASSERT(writer.size() == kNonceLowOffset, "set_nonce() writes over it");
  writer.u32(nonce.low);
  const auto preimage = SharePreimage::from(writer.take());
  EC_ASSERT(preimage.has_value(), "the layout adds up to 116 octets");
  return *preimage;
}

void set_nonce(SharePreimage& preimage, const Nonce& nonce) {
  const std::span<std::uint8_t> octets(preimage.octets);
  put_little_endian(octets.subspan(kNonceHighOffset, sizeof(nonce.high)), nonce.high);
  put_little_endian(octets.subspan(kNonceLowOffset, sizeof(nonce.low)), nonce.low);
}

U256 share_value(const Hash& digest) {
  std::array<std::uint64_t, 4> limbs{};
  for (std::size_t word = 0; word < 8; ++word) {
    std::uint64_t value = 0;
    for (std::size_t octet = 0; octet < 4; ++octet)
      value = value << 8 | digest.octets[4 * word + octet];
    limbs[word / 2] |= value << (32 * (word % 2));
  }
  return U256::from_limbs(limbs);
}

}  // namespace eventchain::chain
