#pragma once

#include <cstdint>
#include <vector>

#include "chain/event.h"
#include "chain/rules.h"

namespace eventchain::store {

// What is stored about the tip, as it was read: nothing in it is trusted yet.
struct StoredTip {
  chain::BlockId id;
  chain::SealedHeader sealed;
  std::vector<chain::Hash> log_peaks;
  std::vector<chain::HistoryNode> history_peaks;         // over all blocks including the tip
  std::vector<chain::HistoryNode> history_peaks_before;  // over all blocks before the tip
  chain::MembersRef members;                             // after the tip
};

// The state as of the tip. Everything that the tip's header stands for is computed again from the
// stored peaks: block id, chain id, log root, history root, and the peaks after the tip. kCorrupt
// names what does not fit.
chain::Result<chain::ChainState> restore_state(const chain::Genesis& genesis,
                                               const StoredTip& stored);

// Hashes the event again; kCorrupt unless salt and body give this commitment.
chain::Result<void> check_commitment(const chain::HeldEvent& event,
                                     const chain::Commitment& commitment);

// Places of the peaks over the first `blocks` leaves in the sequence of nodes that
// History::append() makes, largest first.
std::vector<std::uint64_t> history_peak_places(std::uint64_t blocks);

}  // namespace eventchain::store
