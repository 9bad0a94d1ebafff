#pragma once

#include <optional>

#include "node/api/problem.h"
#include "node/effects.h"
#include "store/chain_reader.h"

namespace eventchain::node::api {

// {"key","status","detail","position","version","height"}: where an event stands.
void append_outcome(JsonText& out, const EventOutcome& outcome);
void append_lookup(JsonText& out, const chain::EventKey& key, const store::EventLookup& lookup,
                   std::optional<chain::PendingStage> stage);
// The members of append_lookup() behind the key, without braces.
void append_standing(JsonText& out, const store::EventLookup& lookup,
                     std::optional<chain::PendingStage> stage);

// Why an event was not accepted; nullopt when it was.
std::optional<Problem> refusal_of(const EventOutcome& outcome);
// For people.
std::string explain(Problem problem, const EventOutcome& outcome);
const char* name_of(chain::RejectionReason reason);

}  // namespace eventchain::node::api
