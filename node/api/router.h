#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "node/api/call.h"

namespace eventchain::node::api {

struct Route {
  const char* method;
  const char* path;   // a segment in braces takes any value, one with dots in them all the rest
  const char* label;  // for metrics
  void (*handle)(const CallPtr&);
  std::array<const char*, 4> query;  // names it knows; the rest is null
  // Reads what was committed: knows `consistency` too.
  bool is_read = false;
  // A light member has what it needs.
  bool is_light = false;
};
const std::vector<Route>& routes();

// Fills path, query and label of `call` and returns its route; nullptr after having answered.
const Route* find_route(Call& call);

}  // namespace eventchain::node::api
