#pragma once

#include <algorithm>

#include "chain/hash.h"
#include "chain/signing.h"

namespace eventchain::sim {

// A member's key without the cost of one: the signature is a hash that names the public key. Nobody
// lies in the simulator; what it must notice are signatures on the wrong thing.
class Signing : public chain::Signing {
 public:
  explicit Signing(chain::PublicKey key) : key_(key) {}

  chain::Signature sign(chain::ByteView message) override { return made_by(key_, message); }
  bool verify(const chain::PublicKey& key, chain::ByteView message,
              const chain::Signature& signature) override {
    return made_by(key, message) == signature;
  }

 private:
  static chain::Signature made_by(const chain::PublicKey& key, chain::ByteView message) {
    const chain::Hash hash = chain::sha256({key.view(), message});
    chain::Signature signature;
    std::copy(hash.octets.begin(), hash.octets.end(), signature.octets.begin());
    return signature;
  }

  const chain::PublicKey key_;
};

}  // namespace eventchain::sim
