#include "store/integrity.h"

#include <fmt/format.h>

#include <bit>

namespace eventchain::store {

using chain::ErrorCode;
using chain::Result;

namespace {

tl::unexpected<chain::Error> damaged(const chain::SealedHeader& sealed, std::string_view what) {
  return chain::fail(ErrorCode::kCorrupt,
                     fmt::format("the stored tip at height {} is damaged: {}; remove this node's "
                                 "database and let it fetch the chain from the others",
                                 sealed.header.height.value, what));
}

}  // namespace

Result<chain::ChainState> restore_state(const chain::Genesis& genesis, const StoredTip& stored) {
  chain::ChainState state = chain::initial_state(genesis);
  const chain::TemplateHeader& header = stored.sealed.header;
  const std::uint64_t blocks_before = state.history.blocks() - 1 + header.height.value;

  if (header.height.value == 0) {
    if (stored.id != state.tip) return damaged(stored.sealed, "it is not this chain's genesis");
    if (!stored.log_peaks.empty() || stored.history_peaks != state.history.peaks())
      return damaged(stored.sealed, "there are peaks but no blocks");
    return state;
  }
  if (header.chain != state.chain) return damaged(stored.sealed, "its header names another chain");
  if (chain::block_id(stored.sealed) != stored.id)
    return damaged(stored.sealed, "header and seal do not hash to the block id");

  auto log = chain::LogTree::restore(header.log_size, stored.log_peaks);
  if (!log) return damaged(stored.sealed, log.error().message);
  if (log->root() != header.log_root)
    return damaged(stored.sealed, "the log's peaks do not hash to the header's log root");

  auto history = chain::History::restore(stored.history_peaks_before);
  if (!history) return damaged(stored.sealed, history.error().message);
  if (history->blocks() != blocks_before || history->root() != header.history_root)
    return damaged(stored.sealed, "the history's nodes do not hash to the header's history root");
  history->append(chain::history_leaf(stored.id, chain::block_work(header), header.time,
                                      stored.sealed.seal.sealed_at));
  if (history->peaks() != stored.history_peaks)
    return damaged(stored.sealed, "the history's peaks do not follow from its nodes");

  state.tip = stored.id;
  state.tip_header = stored.sealed;
  state.log = std::move(*log);
  state.history = std::move(*history);
  state.member_set = chain::member_set_hash(*stored.members);
  state.members = stored.members;
  return state;
}

Result<void> check_commitment(const chain::HeldEvent& event, const chain::Commitment& commitment) {
  if (chain::commit(event.salt, event.body) == commitment) return {};
  return chain::fail(ErrorCode::kCorrupt,
                     fmt::format("the stored body of event {} does not hash to its commitment {}; "
                                 "fetch it again from a peer",
                                 to_hex(event.facts.key), to_hex(commitment)));
}

std::vector<std::uint64_t> history_peak_places(std::uint64_t blocks) {
  std::vector<std::uint64_t> places;
  std::uint64_t made = 0;  // nodes of the mountains to the left
  for (std::uint64_t rest = blocks; rest != 0;) {
    const std::uint64_t mountain = std::bit_floor(rest);
    made += 2 * mountain - 1;
    places.push_back(made - 1);
    rest -= mountain;
  }
  return places;
}

}  // namespace eventchain::store
