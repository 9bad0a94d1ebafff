#include "tools/eventchain/signature_pass.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "chain/certificate.h"
#include "chain/keys.h"

namespace eventchain::tools {

void SignaturePass::run(store::ChainScan& scan, std::uint64_t first, std::uint64_t end) {
  std::uint64_t height = 0;
  chain::Bytes sealed;
  chain::Certificate certificate;
  const auto judge_block = [&] {
    if (!certificate.empty()) judge(height, sealed, certificate);
    certificate.clear();
  };
  const auto read = scan.signatures(first, end, [&](const store::ChainScan::SignatureRow& row) {
    if (row.height != height) judge_block();
    height = row.height;
    sealed = chain::Bytes(row.sealed);
    const auto signature = chain::Signature::from(row.signature);
    const bool is_slot =
        row.slot >= 0 && row.slot <= std::int64_t{std::numeric_limits<std::uint16_t>::max()};
    if (!signature || !is_slot)
      return findings_.add(
          {"signature", row.height, fmt::format("what slot {} has signed is none", row.slot)});
    certificate.push_back({chain::Slot{static_cast<std::uint16_t>(row.slot)}, *signature});
  });
  judge_block();
  if (!read) findings_.add({"database", first, read.error().message});
}

void SignaturePass::judge(std::uint64_t height, const chain::Bytes& encoded,
                          const chain::Certificate& certificate) {
  const auto sealed = chain::decode_sealed_header(encoded);
  // Whoever changed it since it was followed is found by the pass over the blocks.
  if (!sealed || chain::block_id(*sealed) != chain_.ids[height]) return;
  if (height == 0)
    return findings_.add({"signature", 0, "genesis is signed, which needs no signature"});
  const chain::MemberSet& before = *chain_.members_at(height);
  const chain::MemberSet& after = *chain_.members_after(height);
  chain::Ed25519Checker signing;
  const chain::Certificate sound = chain::sound_signatures(
      signing, before, after, chain::certified_statement(sealed->header, chain_.ids[height]),
      certificate);
  for (const chain::SlotSignature& one : certificate) {
    if (std::ranges::find(sound, one) != sound.end()) continue;
    const chain::Member* member = chain::member_at(before, one.slot);
    findings_.add({"signature", height,
                   member == nullptr || !chain::may_certify(one.slot, before, after)
                       ? fmt::format("slot {} has no vote there", one.slot.value)
                       : fmt::format("that of {} is not on this block", member->name)});
  }
  sound_ += sound.size();
  if (chain::is_certified(sound, before, after)) certified_ = std::max(certified_, {height});
}

}  // namespace eventchain::tools
