#pragma once

#include <cstdint>

#include "chain/certificate.h"
#include "store/sqlite/chain_scan.h"
#include "tools/eventchain/verified_chain.h"
#include "tools/eventchain/verify.h"

namespace eventchain::tools {

// Verifies signatures of voters on blocks that were followed, by the keys that were in force.
class SignaturePass {
 public:
  // Both outlive the pass.
  SignaturePass(const VerifiedChain& chain, Findings& findings)
      : chain_(chain), findings_(findings) {}

  // Those of first <= height < end.
  void run(store::ChainScan& scan, std::uint64_t first, std::uint64_t end);

  [[nodiscard]] std::uint64_t sound() const { return sound_; }
  [[nodiscard]] chain::Height certified() const { return certified_; }

 private:
  void judge(std::uint64_t height, const chain::Bytes& sealed,
             const chain::Certificate& certificate);

  const VerifiedChain& chain_;
  Findings& findings_;
  std::uint64_t sound_ = 0;
  chain::Height certified_;  // the highest block with signatures of a majority
};

}  // namespace eventchain::tools
