#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "chain/result.h"
#include "chain/signing.h"

// Signed notes (C2SP signed-note): a text, an empty line, and a line for each signature. Pure;
// foreign notes are bounded before anything is kept of them.
namespace eventchain::chain {

inline constexpr std::size_t kNoteBytesMax = std::size_t{1024} * 1024;
inline constexpr std::size_t kNoteSignaturesMax = 100;

// What an Ed25519 key signs under a name: an octet of its own in the key's id and text.
enum class NoteKeyKind : char {
  kEd25519 = 1,      // notes
  kCosignature = 4,  // checkpoints that it has seen (cosignature.h)
};

// Tells the keys of one name apart: the first octets of SHA-256(name, line feed, kind, key).
using NoteKeyId = FixedBytes<struct NoteKeyIdTag, 4>;
NoteKeyId note_key_id(std::string_view name, const PublicKey& key,
                      NoteKeyKind kind = NoteKeyKind::kEd25519);

// Neither spaces, which end a name in a signature's line, nor the plus of a key's text.
bool is_note_key_name(std::string_view name);

// How whoever checks notes is told a key: name+id+key, as Go's golang.org/x/mod/sumdb/note reads
// it. Pre: is_note_key_name(name).
std::string note_verifier_key(std::string_view name, const PublicKey& key,
                              NoteKeyKind kind = NoteKeyKind::kEd25519);
struct NoteVerifier {
  std::string name;
  PublicKey key;
  bool operator==(const NoteVerifier&) const = default;
};
// A key that nobody may believe (check_public_key) is refused.
Result<NoteVerifier> parse_note_verifier_key(std::string_view text,
                                             NoteKeyKind kind = NoteKeyKind::kEd25519);

struct NoteSignature {
  std::string name;
  NoteKeyId key;
  Bytes signature;  // of any algorithm; Ed25519's has 64 octets
  bool operator==(const NoteSignature&) const = default;
};
NoteSignature note_signature(std::string_view name, const PublicKey& key,
                             const Signature& signature);

struct SignedNote {
  Bytes text;  // what is signed; ends with a line feed
  std::vector<NoteSignature> signatures;
  bool operator==(const SignedNote&) const = default;
};
std::string encode_note(const SignedNote& note);
// The signature's line, with its line feed.
std::string encode_note_signature(const NoteSignature& one);
// Nothing is verified. One note, one spelling: what is accepted is encoded to the same octets.
Result<SignedNote> decode_note(ByteView octets);

}  // namespace eventchain::chain
