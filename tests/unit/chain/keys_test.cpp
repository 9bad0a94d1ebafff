#include "chain/keys.h"

#include <doctest/doctest.h>

#include "chain/note.h"

using namespace eventchain::chain;

namespace {

// RFC 8032, section 7.1, test 1: the key as PKCS #8, its public half, the signature of nothing.
constexpr const char* kPem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";
constexpr const char* kPublic = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
constexpr const char* kSignatureOfNothing =
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b4"
    "6b"
    "d25bf5f0595bbe24655141438e7a100b";

}  // namespace

TEST_CASE("keys and signatures are those of RFC 8032") {
  const auto key = Ed25519::from_pem(kPem);
  REQUIRE_MESSAGE(key.has_value(), key.error().message);
  CHECK(to_hex((*key)->public_key()) == kPublic);
  CHECK(to_hex((*key)->sign("")) == kSignatureOfNothing);
  CHECK(verify_ed25519((*key)->public_key(), "", (*key)->sign("")));
}

TEST_CASE("a signature holds for its message and key only") {
  const auto key = Ed25519::from_pem(kPem);
  REQUIRE(key.has_value());
  const Bytes message = "block 7";
  const Signature good = (*key)->sign(message);
  CHECK((*key)->verify((*key)->public_key(), message, good));
  CHECK_FALSE(verify_ed25519((*key)->public_key(), "block 8", good));
  PublicKey other = (*key)->public_key();
  other.octets[0] ^= 1;
  CHECK_FALSE(verify_ed25519(other, message, good));
  CHECK_FALSE(verify_ed25519(PublicKey{}, message, good));
  for (std::size_t octet = 0; octet < good.octets.size(); ++octet) {
    Signature bad = good;
    bad.octets[octet] ^= 0x10;
    CAPTURE(octet);
    CHECK_FALSE(verify_ed25519((*key)->public_key(), message, bad));
  }
}

TEST_CASE("what is no Ed25519 key in PEM is refused") {
  CHECK_FALSE(Ed25519::from_pem("").has_value());
  CHECK_FALSE(Ed25519::from_pem("no key").has_value());
  const std::string pem = kPem;
  CHECK_FALSE(Ed25519::from_pem(pem.substr(0, 60)).has_value());
  // A key for X25519, which is for agreeing on keys, not for signing.
  const auto wrong_kind = Ed25519::from_pem(
      "-----BEGIN PRIVATE KEY-----\n"
      "MC4CAQAwBQYDK2VuBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
      "-----END PRIVATE KEY-----\n");
  REQUIRE_FALSE(wrong_kind.has_value());
  CHECK(wrong_kind.error().message.find("not for Ed25519") != std::string::npos);
}

TEST_CASE("keys under which anybody can sign, and second spellings, are refused") {
  // The points of small order, and how else they can be spelled (Chalkias, Garillot, Nikolaenko,
  // Taming the many EdDSAs, table 1, with x of either sign).
  const std::string zeros(60, '0');
  const std::string ones(60, 'f');
  const std::string low[] = {"00" + zeros + "00",
                             "01" + zeros + "00",
                             "ec" + ones + "7f",
                             "ed" + ones + "7f",
                             "ee" + ones + "7f",
                             "ff" + ones + "7f",
                             "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                             "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"};
  for (const std::string& text : low)
    for (const bool is_negative : {false, true}) {
      PublicKey key = *PublicKey::from(*from_hex(text));
      if (is_negative) key.octets.back() |= 0x80;
      CAPTURE(to_hex(key));
      const auto checked = check_public_key(key);
      REQUIRE_FALSE(checked.has_value());
      CHECK(checked.error().message.find(to_hex(key)) != std::string::npos);
      CHECK(checked.error().message.find("make a new key") != std::string::npos);
      const std::string verifier = note_verifier_key("log", key);
      CHECK_FALSE(parse_note_verifier_key(verifier).has_value());
      const auto kind = NoteKeyKind::kCosignature;
      CHECK_FALSE(parse_note_verifier_key(note_verifier_key("w", key, kind), kind).has_value());
    }
  // Their neighbours are other points, and what a key is made to is none of them.
  for (const std::string& text : {"02" + zeros + "00", "00" + zeros + "01", "eb" + ones + "7f",
                                  "ed" + ones + "7e", "ed" + ones.substr(2) + "fe7f"})
    CHECK(check_public_key(*PublicKey::from(*from_hex(text))).has_value());
  CHECK(check_public_key((*Ed25519::from_pem(kPem))->public_key()).has_value());
}
