#pragma once

#include <memory>

#include "chain/result.h"
#include "chain/signing.h"

namespace eventchain::chain {

// RFC 8032, by OpenSSL, which stays hidden in keys.cpp. Thread-safe.
bool verify_ed25519(const PublicKey& key, ByteView message, const Signature& signature);

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
