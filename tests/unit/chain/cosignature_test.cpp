#include "chain/cosignature.h"

#include <doctest/doctest.h>

#include "chain/base64.h"
#include "chain/keys.h"

using namespace eventchain::chain;

namespace {

// RFC 8032, section 7.1, test 1.
constexpr const char* kPem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

// Made by Python and the openssl program, with that key at that time.
constexpr const char* kVerifier =
    "witness.example/w1+eb762cc2+BNdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
constexpr UnixSeconds kTime{1679315147};
const std::string kText =
    "eventchain/abababababababababababababababababababababababababababababababab\n"
    "5\n"
    "SBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=\n"
    "height 3\n";
const std::string kLine =
    "\xe2\x80\x94 witness.example/w1 "
    "63YswgAAAABkGFDLYTi5JgCDNahQOck6Sx6XuSlPGtXYbl64/vc6SrlvnlwAC79qaYjxRyHiPZo8A6tk388fAab2j2qV78"
    "iREgWaCg==\n";

NoteVerifier verifier() {
  const auto parsed = parse_note_verifier_key(kVerifier, NoteKeyKind::kCosignature);
  REQUIRE(parsed.has_value());
  return *parsed;
}

NoteSignature golden() {
  const auto note = decode_note(kText + "\n" + kLine);
  REQUIRE(note.has_value());
  return note->signatures.at(0);
}

}  // namespace

TEST_CASE("a cosignature is octet for octet what another program makes") {
  const auto key = Ed25519::from_pem(kPem);
  REQUIRE(key.has_value());
  const NoteVerifier who = verifier();
  CHECK(who.key == (*key)->public_key());
  CHECK(note_verifier_key(who.name, who.key, NoteKeyKind::kCosignature) == kVerifier);
  CHECK(cosigned_message(kTime, kText) == "cosignature/v1\ntime 1679315147\n" + kText);
  const NoteSignature made = make_cosignature(**key, who, kTime, kText);
  CHECK(encode_note_signature(made) == kLine);
  CHECK(made == golden());
  CHECK(verified_cosignature(who, kText, made) == kTime);
}

TEST_CASE("a key of notes is none of cosignatures, nor the reverse") {
  CHECK_FALSE(parse_note_verifier_key(kVerifier).has_value());
  const NoteVerifier who = verifier();
  const std::string as_note = note_verifier_key(who.name, who.key);
  CHECK(parse_note_verifier_key(as_note).has_value());
  CHECK_FALSE(parse_note_verifier_key(as_note, NoteKeyKind::kCosignature).has_value());
}

TEST_CASE("a cosignature of another text, time, name or key does not count") {
  const NoteVerifier who = verifier();
  const NoteSignature sound = golden();
  for (std::size_t at = 0; at < kText.size(); ++at) {
    std::string other = kText;
    other[at] = static_cast<char>(other[at] ^ 1);
    CHECK_FALSE(verified_cosignature(who, other, sound).has_value());
  }
  for (std::size_t at = 0; at < sound.signature.size(); ++at) {
    NoteSignature other = sound;
    other.signature[at] = static_cast<char>(other.signature[at] ^ 1);
    CHECK_FALSE(verified_cosignature(who, kText, other).has_value());
  }
  NoteSignature other = sound;
  other.signature.pop_back();
  CHECK_FALSE(verified_cosignature(who, kText, other).has_value());
  other = sound;
  other.signature.push_back('\0');
  CHECK_FALSE(verified_cosignature(who, kText, other).has_value());
  other = sound;
  other.name = "witness.example/w2";
  CHECK_FALSE(verified_cosignature(who, kText, other).has_value());
  other = sound;
  other.key = note_key_id(who.name, who.key);
  CHECK_FALSE(verified_cosignature(who, kText, other).has_value());
  NoteVerifier stranger = who;
  stranger.key.octets[0] ^= 1;
  CHECK_FALSE(verified_cosignature(stranger, kText, sound).has_value());
}

TEST_CASE("a time beyond 2^63 - 1 is refused before anything is verified") {
  const NoteVerifier who = verifier();
  NoteSignature late = golden();
  late.signature.replace(0, 8, "\xff\xff\xff\xff\xff\xff\xff\xff");
  CHECK_FALSE(verified_cosignature(who, kText, late).has_value());
}
