#pragma once

#include "node/api/json_text.h"
#include "node/witnessing/report.h"

namespace eventchain::node::api {

// Objects for the node's status.
void append_witnesses(JsonText& out, const WitnessesReport& report);
void append_cosigner(JsonText& out, const CosignerReport& report);

}  // namespace eventchain::node::api
