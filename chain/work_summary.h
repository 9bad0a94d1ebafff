#pragma once

#include "chain/work_proof.h"

namespace eventchain::chain {

// Fills `proved` and `not_proved` of a report in which no step failed and whose facts are there.
void summarize(const WorkProof& proof, const WorkTrust& trust, WorkReport& report);

}  // namespace eventchain::chain
