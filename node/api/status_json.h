#pragma once

#include "mining/lending.h"
#include "node/api/json_text.h"
#include "node/node_report.h"

namespace eventchain::node::api {

// How the node stands in its cluster, as in /v1/cluster, into an object that is open. With a report
// each peer also tells for how long it has had no link.
void append_status(JsonText& out, const NodeStatus& status, const NodeReport* report = nullptr);

// An object of its own: of /v1/mining. Null: this node lends nothing.
void append_lending(JsonText& out, const mining::LendingReport* report);

// The members of /v1/node: those and what the node knows of its host.
void append_report(JsonText& out, const NodeReport& report);

}  // namespace eventchain::node::api
