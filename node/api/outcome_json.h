#pragma once

#include <optional>

#include "node/api/problem.h"
#include "node/effects.h"
#include "store/chain_reader.h"

namespace eventchain::node::api {

// How much more than committed events are.
struct Finality {
  chain::Height certified;           // up to this block they are final
  std::uint64_t witnessed_size = 0;  // below this position witnessed
};

// {"key","status","detail","position","version","height"}: where an event stands.
void append_outcome(JsonText& out, const EventOutcome& outcome, std::uint64_t witnessed_size);
// The same members without braces and key: of an event that waits for its block, and of one that a
// block has placed or rejected.
void append_pending(JsonText& out, chain::PendingStage stage);
void append_settled(JsonText& out, const store::EventLookup& lookup, const Finality& finality);

// Why an event was not accepted; nullopt when it was.
std::optional<Problem> refusal_of(const EventOutcome& outcome);
// For people.
std::string explain(Problem problem, const EventOutcome& outcome);
const char* name_of(chain::RejectionReason reason);

}  // namespace eventchain::node::api
