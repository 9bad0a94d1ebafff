#pragma once

#include "chain/result.h"
#include "node/api/json_text.h"
#include "store/chain_reader.h"

namespace eventchain::node::api {

// {"key","position","version","height","event":{..}}
chain::Result<void> append_placed(JsonText& out, const store::PlacedEvent& placed);

}  // namespace eventchain::node::api
