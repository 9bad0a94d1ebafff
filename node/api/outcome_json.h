#pragma once

#include <optional>

#include "node/api/problem.h"
#include "node/effects.h"
#include "store/chain_reader.h"

namespace eventchain::node::api {

// {"key","status","detail","position","version","height"}: where an event stands.
void append_outcome(JsonText& out, const EventOutcome& outcome);
// The same members without braces and key: of an event that waits for its block, and of one that a
// block has placed or rejected.
void append_pending(JsonText& out, chain::PendingStage stage);
// Up to `certified` blocks are final.
void append_settled(JsonText& out, const store::EventLookup& lookup, chain::Height certified);

// Why an event was not accepted; nullopt when it was.
std::optional<Problem> refusal_of(const EventOutcome& outcome);
// For people.
std::string explain(Problem problem, const EventOutcome& outcome);
const char* name_of(chain::RejectionReason reason);

}  // namespace eventchain::node::api
