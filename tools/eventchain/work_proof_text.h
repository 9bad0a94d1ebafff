#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "chain/work_proof.h"

// Work proofs between files, people and programs.
namespace eventchain::tools {

// A file that is no work proof is a report whose only step, "format", failed.
chain::WorkReport judge_work_proof(std::string_view text, const chain::WorkTrust& trust);

// For people: the verdict, what is proved and what not; before it each step, if asked for.
std::string work_verdict_text(const chain::WorkReport& report, bool with_steps);
// For programs.
boost::json::object work_verdict_json(const chain::WorkReport& report);

}  // namespace eventchain::tools
