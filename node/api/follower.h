#pragma once

#include "node/api/call.h"

namespace eventchain::node::api {

// Sends the log from position `from` on as server-sent events, without end: what is there, then
// every commit. Ends when the client hangs up or the server stops.
void follow_log(const CallPtr& call, std::uint64_t from);

}  // namespace eventchain::node::api
