#pragma once

#include <optional>

#include "chain/log_witness.h"
#include "store/chain_reader.h"

namespace eventchain::node::api {

// The head of the log as voters have signed it.
struct FinalCheckpoint {
  chain::LogHead head;
  chain::Height height;
  chain::SignedNote note;     // with all their signatures that hold; at least one
  bool has_majority = false;  // and these are a certificate
};

// Of the newest final block, as the node tells it. nullopt: no block is final yet. kCorrupt: none
// of the signatures holds.
chain::Result<std::optional<FinalCheckpoint>> final_checkpoint(store::ChainReader& reader,
                                                               chain::Height certified);

}  // namespace eventchain::node::api
