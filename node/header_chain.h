#pragma once

#include <string>
#include <vector>

#include "chain/rules.h"
#include "chain/signing.h"
#include "net/messages.h"
#include "store/light_store.h"

namespace eventchain::node {

// The chain as a light member has it: it goes on only by runs of headers whose last one a majority
// of the voters has signed, after every rule was checked that can be checked without entries. Owned
// by the light member's core.
//
// What it cannot see: whether events belong where they stand, whether rejections are justified, and
// whether the log root is that of the entries. For those it takes the word of the voters' majority.
//
// Invariant: the tip has a certificate (chain/certificate.h).
class HeaderChain {
 public:
  // Recovers from the store; call inside a turn. All outlive it. Throws StoreFailure where what is
  // stored proves nothing. `digest`: of the genesis' work function; null: its plain_digest().
  HeaderChain(store::LightStore& store, chain::Signing& signing, const chain::ShareDigest* digest);

  [[nodiscard]] const chain::HeaderState& state() const { return state_; }
  [[nodiscard]] const chain::ShareDigest& digest() const { return *digest_; }
  [[nodiscard]] const chain::Certificate& certificate() const { return certificate_; }

  struct Taken {
    std::string wrong;     // no correct peer sends it; the rule is named
    bool is_fork = false;  // proven, and not on top of this tip: one of the two histories is wrong
    std::vector<chain::SealedHeader> applied;
  };
  // All of the run or nothing. Pre: it begins above the tip and is not empty.
  Taken take(const net::HeadersReply& reply);

 private:
  store::LightStore& store_;
  chain::Signing& signing_;
  const chain::ShareDigest* digest_;
  chain::HeaderState state_;
  chain::Certificate certificate_;
};

}  // namespace eventchain::node
