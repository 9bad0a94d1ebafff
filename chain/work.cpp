#include "chain/work.h"

#include "chain/hash.h"

namespace eventchain::chain {

std::vector<Hash> ShareDigest::digests(std::span<const SharePreimage> preimages) const {
  std::vector<Hash> result;
  result.reserve(preimages.size());
  for (const SharePreimage& preimage : preimages) result.push_back(digest(preimage));
  return result;
}

Hash Sha256Digest::digest(const SharePreimage& preimage) const {
  return sha256(preimage.view());
}

const ShareDigest* plain_digest(WorkFunction function) {
  static const Sha256Digest kSha256;
  static const NoWorkDigest kNone;
  switch (function) {
    case WorkFunction::kSha256:
      return &kSha256;
    case WorkFunction::kNone:
      return &kNone;
    case WorkFunction::kRandomXV1:
      break;
  }
  return nullptr;
}

bool meets(const ShareDigest& digest, const SharePreimage& preimage, const Hash& hash,
           const U256& target) {
  if (share_value(hash) <= target) return true;
  const std::optional<Hash> again = digest.again(preimage);
  return again && share_value(*again) <= target;
}

bool share_meets(const ShareDigest& digest, const TemplateHeader& header, const Nonce& nonce,
                 const U256& target) {
  const SharePreimage preimage = share_preimage(header, nonce);
  return meets(digest, preimage, digest.digest(preimage), target);
}

}  // namespace eventchain::chain
