#include "node/header_chain.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace eventchain::node {

namespace {

bool is_one_chain(const std::vector<chain::LightBlock>& blocks) {
  std::optional<chain::BlockId> parent;
  for (const chain::LightBlock& block : blocks) {
    if (parent && block.sealed.header.parent != *parent) return false;
    parent = chain::block_id(block.sealed);
  }
  return true;
}

// The first rule that the block breaks on top of `state`; fills `after`.
chain::Verdict check(const chain::HeaderState& state, const chain::ShareDigest& digest,
                     const chain::LightBlock& block, chain::MembersRef& after) {
  const chain::TemplateHeader& header = block.sealed.header;
  if (const auto verdict = chain::check_header(state, header); !verdict.ok()) return verdict;
  const auto sealing = chain::check_seal(state, digest, block.sealed);
  if (!sealing.ok()) return sealing;
  return chain::check_annex(state, header, block.annex, &after);
}

}  // namespace

HeaderChain::HeaderChain(store::LightStore& store, chain::Signing& signing,
                         const chain::ShareDigest* digest)
    : store_(store), signing_(signing), digest_(digest) {
  store::LightStore::Recovered recovered = store.recover();
  state_ = std::move(recovered.state);
  certificate_ = std::move(recovered.certificate);
  if (digest_ == nullptr) digest_ = chain::plain_digest(state_.genesis.work_function);
  EC_ASSERT(digest_ != nullptr, "who makes the machine sets up what its work function needs");
  if (state_.height().value == 0) return;
  if (!chain::is_proven_by(signing_, *recovered.members_of_tip, *state_.members, state_.tip_header,
                           state_.tip, certificate_))
    throw store::StoreFailure(fmt::format(
        "the stored certificate does not prove the tip at height {}: the disk is damaged; remove "
        "this light member and let it join anew with a new data directory",
        state_.height().value));
}

HeaderChain::Taken HeaderChain::take(const net::HeadersReply& reply) {
  EC_ASSERT(reply.from == state_.height().next() && !reply.blocks.empty(), "it was asked for");
  const chain::SealedHeader& last = reply.blocks.back().sealed;
  // Cheap checks before expensive ones. Who signs may change with a block, and the next set is
  // believed only when that block is proven.
  if (!is_one_chain(reply.blocks)) return {"headers that do not follow one another", false, {}};
  if (last.header.member_set != state_.member_set)
    return {"headers that reach beyond a block that changes the members", false, {}};
  const auto after_last =
      chain::members_after(state_.members, last.header, reply.blocks.back().annex);
  if (!chain::is_proven_by(signing_, *state_.members, *after_last, last, chain::block_id(last),
                           reply.certificate))
    return {"a certificate without sound signatures of a majority", false, {}};
  if (reply.blocks.front().sealed.header.parent != state_.tip) return {{}, true, {}};

  chain::HeaderState next = state_;
  store::LightRun run;
  Taken taken;
  for (const chain::LightBlock& block : reply.blocks) {
    chain::MembersRef after;
    if (const auto verdict = check(next, *digest_, block, after); !verdict.ok())
      return {fmt::format("a header that breaks a rule height={} rule={}",
                          block.sealed.header.height.value, chain::to_string(verdict.rule)),
              false,
              {}};
    run.history_before = next.history.peaks();
    const bool changes_members = after != next.members;
    chain::advance_headers(next, block.sealed, std::move(after));
    run.items.push_back({block, next.tip, changes_members ? next.members : nullptr});
    taken.applied.push_back(block.sealed);
  }
  run.certificate = reply.certificate;
  store_.append(run);
  state_ = std::move(next);
  certificate_ = reply.certificate;
  return taken;
}

}  // namespace eventchain::node
