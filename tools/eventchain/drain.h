#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "tools/eventchain/session.h"

namespace eventchain::tools {

// A node that is to be stopped drains: it takes in no new events, hands over leadership and waits
// for what it has. These speak to one node; `endpoint` is its own.

// What the node says of it. Stops the command when it is refused or nobody answers.
boost::json::value set_drain(const Session& session, const std::string& endpoint, bool wants);
// Until the node has drained, at most for so long; false: it has not.
bool wait_drained(const Session& session, const std::string& endpoint, std::chrono::seconds time);

// The endpoint of the member: one of the session's that says to be that node, or the address that
// the member list tells, if it answers as that node.
std::optional<std::string> find_endpoint(const Session& session, const boost::json::value& member);

}  // namespace eventchain::tools
