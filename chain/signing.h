#pragma once

#include "chain/bytes.h"
#include "chain/genesis.h"

namespace eventchain::chain {

using Signature = FixedBytes<struct SignatureTag, 64>;  // Ed25519 (RFC 8032)

// A member's signing key, and the check of others'. A port, because the simulator signs millions of
// blocks. Deterministic: a message has one signature. One thread.
class Signing {
 public:
  virtual ~Signing() = default;
  virtual Signature sign(ByteView message) = 0;
  virtual bool verify(const PublicKey& key, ByteView message, const Signature& signature) = 0;
};

}  // namespace eventchain::chain
