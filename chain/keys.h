#pragma once

#include <memory>

#include "chain/result.h"
#include "chain/signing.h"

namespace eventchain::chain {

// RFC 8032, by OpenSSL, which stays hidden in keys.cpp. Thread-safe.
bool verify_ed25519(const PublicKey& key, ByteView message, const Signature& signature);

// Whether a new key may be believed. Points of small order are refused: signatures can be made that
// hold under them for any text, by anybody (Chalkias, Garillot, Nikolaenko: Taming the many EdDSAs,
// 2020). So are y coordinates that are not below the field's prime, which RFC 8032 does not decode
// and OpenSSL does: two spellings of one key. The message says what to do.
//
// It is asked where keys come in: from configuration, genesis files, operators and whoever joins,
// and of the voters that a receipt
// names. It is no rule of the chain: what existing chains have
// stays as it is.
Result<void> check_public_key(const PublicKey& key);

// For whoever checks signatures and has no key: nothing may be signed with it.
class Ed25519Checker final : public Signing {
 public:
  Signature sign(ByteView message) override;
  bool verify(const PublicKey& key, ByteView message, const Signature& signature) override {
    return verify_ed25519(key, message, signature);
  }
};

class Ed25519 : public Signing {
 public:
  // From the PEM text of a private key (PKCS #8, not encrypted).
  static Result<std::unique_ptr<Ed25519>> from_pem(ByteView pem);
  ~Ed25519() override;

  [[nodiscard]] PublicKey public_key() const;
  Signature sign(ByteView message) override;
  bool verify(const PublicKey& key, ByteView message, const Signature& signature) override {
    return verify_ed25519(key, message, signature);
  }

 private:
  struct State;
  explicit Ed25519(std::unique_ptr<State> state);
  const std::unique_ptr<State> state_;
};

}  // namespace eventchain::chain
