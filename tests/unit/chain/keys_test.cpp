#include "chain/keys.h"

#include <doctest/doctest.h>

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
