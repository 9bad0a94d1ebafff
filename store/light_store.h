#pragma once

#include <vector>

#include "chain/block.h"
#include "chain/certificate.h"
#include "chain/history.h"
#include "chain/rules.h"
#include "store/chain_store.h"

namespace eventchain::store {

// What a light member keeps: of each block its header, seal and annex; the member sets; and the
// signatures on the tip, which prove everything below.

// Blocks on top of the stored tip, checked, the last of which is proven: one transaction.
struct LightRun {
  struct Item {
    chain::LightBlock block;
    chain::BlockId id;
    chain::MembersRef members;  // after the block; null: as before
  };
  std::vector<Item> items;                         // ascending, at least one
  std::vector<chain::HistoryNode> history_before;  // peaks over all blocks below the last
  chain::Certificate certificate;                  // of the last
};

// Used by the light member's core alone. Every call belongs to the current turn (see Turns); reads
// see the turn's own writes. Throws StoreFailure on disk trouble.
class LightStore {
 public:
  // What a light member finds when it starts.
  struct Recovered {
    chain::HeaderState state;
    chain::MembersRef members_of_tip;  // that the tip's header names: whose signatures count on it
    chain::Certificate certificate;    // of the tip, not verified again; empty at genesis
  };

  virtual ~LightStore() = default;
  // Comes before every other call. What is stored about the tip is computed again from the bytes.
  virtual Recovered recover() = 0;
  virtual void append(const LightRun& run) = 0;
  virtual Turns& turns() = 0;
};

// What is stored about the tip of a light member, as it was read: nothing in it is trusted yet.
struct StoredLightTip {
  chain::LightBlock block;
  chain::BlockId id;
  std::vector<chain::HistoryNode> history_before;
  chain::MembersRef members;  // in force at the tip's height
};

// The state as of the tip. The member set is held against the header, and the next one is made of
// it by the annex again. kCorrupt names what does not fit.
chain::Result<chain::HeaderState> restore_light_state(const chain::Genesis& genesis,
                                                      const StoredLightTip& stored);

}  // namespace eventchain::store
