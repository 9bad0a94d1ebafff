#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "tools/eventchain/session.h"
#include "tools/eventchain/verify.h"

// What `chain verify` says. Separate from the command, so that a test can read it.
namespace eventchain::tools {

// The last sentences: what is verified, and what a chain alone cannot tell. One a line.
std::vector<std::string> verdict_of(const VerifyReport& report);

// kOk: everything there was to read was read and is as voters certified it, up to the block that
// the verdict names.
Exit exit_of(const VerifyReport& report);

// For people and for programs; `seconds`: how long it took.
std::string report_text(const VerifyReport& report, double seconds);
boost::json::object report_json(const VerifyReport& report, double seconds);

}  // namespace eventchain::tools
