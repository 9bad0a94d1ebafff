#pragma once

#include <vector>

#include "consensus/types.h"
#include "store/peer_memory.h"
#include "store_fixture.h"

namespace eventchain::store::testing {

// The chain in the golden files of the database (tests/data/store): five blocks, and a row of every
// kind that this program writes. Made anew it is the same octet by octet. What a golden file holds
// is never changed here, because old files would no longer match; a new kind of row is added by a
// function of its own, for the files from that schema version on.
struct GoldenChain {
  GoldenChain();
  void write(Store& store) const;

  BlockMaker maker{small_genesis()};      // stands on block 5
  std::vector<chain::HeldEvent> events;   // by arrival, from 1
  std::vector<BlockApplication> blocks;   // from height 1
  BlockApplication lost;                  // another block 3
  BlockApplication undecided;             // block 6
  std::vector<consensus::Entry> entries;  // of Raft's log, from index 1
  consensus::Snapshot snapshot;
  consensus::HardState hard_state;
  std::vector<PeerSeen> peers;  // by node
};

}  // namespace eventchain::store::testing
