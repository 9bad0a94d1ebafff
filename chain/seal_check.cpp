#include "chain/seal_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "chain/stamp.h"

namespace eventchain::chain {

std::string seal_fault(const Genesis& genesis, const SealedHeader& sealed) {
  const TemplateHeader& header = sealed.header;
  const Seal& seal = sealed.seal;
  const std::string block = fmt::format("block {}", header.height.value);
  if (header.height.value == 0) return "the genesis block has neither log nor seal";
  if (header.share_count != genesis.share_count || seal.shares.size() != header.share_count)
    return fmt::format("{} has {} shares and its header says {}; in this chain it is {}", block,
                       seal.shares.size(), header.share_count, genesis.share_count);
  if (header.time < header.started || seal.sealed_at < header.time)
    return block + " was begun, made and sealed in another order";
  if (!is_stamp(header.started) || !is_stamp(seal.sealed_at))
    return block + " has a stamp before 1970 or after the year 9999";
  const auto target = expand(header.share_target);
  const auto easiest = expand(genesis.easiest_target);
  if (!target || !easiest || *target > *easiest)
    return block + " has an easier target than the genesis file allows";
  const auto is_not_ascending = [](const Nonce& a, const Nonce& b) { return a >= b; };
  if (std::ranges::adjacent_find(seal.shares, is_not_ascending) != seal.shares.end())
    return fmt::format("the shares of {} are not ascending", block);
  return {};
}

std::string work_fault(const ShareDigest& digest, const SealedHeader& sealed) {
  const TemplateHeader& header = sealed.header;
  const Result<U256> target = expand(header.share_target);
  const TemplateHash hash = template_hash(header);
  std::vector<SharePreimage> preimages;
  preimages.reserve(sealed.seal.shares.size());
  for (const Nonce& share : sealed.seal.shares)
    preimages.push_back(share_preimage(header, hash, share));
  const std::vector<Hash> hashes = digest.digests(preimages);
  for (std::size_t i = 0; i < hashes.size(); ++i)
    if (!target || !meets(digest, preimages[i], hashes[i], *target))
      return fmt::format("share {} of block {} does not meet its target", i + 1,
                         header.height.value);
  return {};
}

}  // namespace eventchain::chain
