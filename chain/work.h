#pragma once

#include <optional>
#include <span>
#include <vector>

#include "chain/block.h"
#include "chain/genesis.h"

namespace eventchain::chain {

// A chain's work function as the rules see it: from a preimage to the digest whose value must not
// exceed the target. A port, because one function is a library of its own that needs hundreds of
// mebibytes; whoever checks shares is handed the one that the genesis names.
//
// Threading: any thread at any time. Pure: a preimage always has the same digest, so that every
// node gives the same verdict.
class ShareDigest {
 public:
  virtual ~ShareDigest() = default;
  [[nodiscard]] virtual WorkFunction function() const = 0;
  [[nodiscard]] virtual Hash digest(const SharePreimage& preimage) const = 0;
  // Of each, in order. Where one takes long, they may be computed side by side.
  [[nodiscard]] virtual std::vector<Hash> digests(std::span<const SharePreimage> preimages) const;
  // A second look, before a share is refused: the digest, computed from other memory than the first
  // time. nullopt where there is nothing that the first look could have read wrongly.
  [[nodiscard]] virtual std::optional<Hash> again(const SharePreimage&) const {
    return std::nullopt;
  }
};

// SHA-256 of the preimage.
class Sha256Digest final : public ShareDigest {
 public:
  [[nodiscard]] WorkFunction function() const override { return WorkFunction::kSha256; }
  [[nodiscard]] Hash digest(const SharePreimage& preimage) const override;
};

// No work: zeros, which every target allows. Whatever nonce a member names is a share.
class NoWorkDigest final : public ShareDigest {
 public:
  [[nodiscard]] WorkFunction function() const override { return WorkFunction::kNone; }
  [[nodiscard]] Hash digest(const SharePreimage&) const override { return {}; }
};

// The digest of a function that needs nothing but itself; null for RandomX, which has to be set up
// (mining/work_functions.h).
const ShareDigest* plain_digest(WorkFunction function);

// Whether a preimage with this digest is a share. A miss is looked at again.
bool meets(const ShareDigest& digest, const SharePreimage& preimage, const Hash& hash,
           const U256& target);
bool share_meets(const ShareDigest& digest, const TemplateHeader& header, const Nonce& nonce,
                 const U256& target);

}  // namespace eventchain::chain
