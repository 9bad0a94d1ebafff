#pragma once

#include <optional>

#include "node/api/json_text.h"
#include "node/status.h"

namespace eventchain::node::api {

// {"state","events","requests"}: how far a node has come on its way to being stopped. `state` is
// none, draining or drained.
void append_drain(JsonText& out, const std::optional<DrainStatus>& drain);

}  // namespace eventchain::node::api
