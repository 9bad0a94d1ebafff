#include "chain/cosignature.h"

#include "chain/keys.h"

namespace eventchain::chain {

namespace {

constexpr std::size_t kTimeSize = 8;

Bytes big_endian(std::uint64_t value) {
  Bytes octets(kTimeSize, '\0');
  for (std::size_t i = 0; i < kTimeSize; ++i)
    octets[i] = static_cast<char>(value >> (8 * (kTimeSize - 1 - i)));
  return octets;
}

std::uint64_t read_big_endian(ByteView octets) {
  std::uint64_t value = 0;
  for (const char octet : octets) value = (value << 8) | static_cast<unsigned char>(octet);
  return value;
}

}  // namespace

Bytes cosigned_message(UnixSeconds time, ByteView text) {
  return Bytes("cosignature/v1\ntime ") + std::to_string(time.value) + '\n' + Bytes(text);
}

NoteSignature make_cosignature(Signing& signing, const NoteVerifier& self, UnixSeconds time,
                               ByteView text) {
  EC_ASSERT(time.value >= 0, "a cosignature's time is not before 1970");
  Bytes signature = big_endian(static_cast<std::uint64_t>(time.value));
  signature.append(signing.sign(cosigned_message(time, text)).view());
  return {self.name, note_key_id(self.name, self.key, NoteKeyKind::kCosignature),
          std::move(signature)};
}

std::optional<UnixSeconds> verified_cosignature(const NoteVerifier& witness, ByteView text,
                                                const NoteSignature& line) {
  if (line.name != witness.name ||
      line.key != note_key_id(witness.name, witness.key, NoteKeyKind::kCosignature) ||
      line.signature.size() != kTimeSize + Signature::kSize)
    return std::nullopt;
  const ByteView octets = line.signature;
  const std::uint64_t seconds = read_big_endian(octets.substr(0, kTimeSize));
  if (seconds > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  const UnixSeconds time{static_cast<std::int64_t>(seconds)};
  const Signature signature = *Signature::from(octets.substr(kTimeSize));
  if (!verify_ed25519(witness.key, cosigned_message(time, text), signature)) return std::nullopt;
  return time;
}

}  // namespace eventchain::chain
