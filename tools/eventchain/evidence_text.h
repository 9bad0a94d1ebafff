#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "chain/evidence.h"

// Evidence between files, people and programs.
namespace eventchain::tools {

// A file that is no evidence is a report whose only step, "format", failed.
chain::EvidenceReport judge_evidence(std::string_view text, const chain::Genesis& genesis,
                                     const chain::ShareDigest* digest);

// For people. `with_steps`: every step, and not the verdict alone.
std::string evidence_text(const chain::EvidenceReport& report, bool with_steps);
boost::json::object evidence_json(const chain::EvidenceReport& report);

}  // namespace eventchain::tools
