#include "store/light_store.h"

#include <fmt/format.h>

namespace eventchain::store {

using chain::Result;

namespace {

tl::unexpected<chain::Error> damaged(const chain::SealedHeader& sealed, std::string_view what) {
  return chain::fail(
      chain::ErrorCode::kCorrupt,
      fmt::format("the stored tip at height {} is damaged: {}; remove this light member and let it "
                  "join anew with a new data directory",
                  sealed.header.height.value, what));
}

}  // namespace

Result<chain::HeaderState> restore_light_state(const chain::Genesis& genesis,
                                               const StoredLightTip& stored) {
  chain::HeaderState state = chain::initial_header_state(genesis);
  const chain::SealedHeader& sealed = stored.block.sealed;
  const chain::TemplateHeader& header = sealed.header;
  if (header.height.value == 0) {
    if (stored.id != state.tip) return damaged(sealed, "it is not this chain's genesis");
    return state;
  }
  if (header.chain != state.chain) return damaged(sealed, "its header names another chain");
  if (chain::block_id(sealed) != stored.id)
    return damaged(sealed, "header and seal do not hash to the block id");
  auto history = chain::History::restore(stored.history_before);
  if (!history) return damaged(sealed, history.error().message);
  if (history->blocks() != header.height.value || history->root() != header.history_root)
    return damaged(sealed, "the history's nodes do not hash to the header's history root");
  if (chain::member_set_hash(*stored.members) != header.member_set)
    return damaged(sealed, "the member set is not the one that its header names");

  // As of the parent, as far as the annex and the step to the tip need it.
  state.members = stored.members;
  state.member_set = header.member_set;
  state.history = std::move(*history);
  state.tip = header.parent;
  chain::MembersRef after;
  const chain::Verdict verdict = chain::check_annex(state, header, stored.block.annex, &after);
  if (!verdict.ok())
    return damaged(sealed,
                   fmt::format("its annex breaks the rule {}", chain::to_string(verdict.rule)));
  chain::advance_headers(state, sealed, std::move(after));
  return state;
}

}  // namespace eventchain::store
