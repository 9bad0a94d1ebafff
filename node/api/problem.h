#pragma once

#include <string>
#include <string_view>

#include "chain/result.h"
#include "net/http/response.h"
#include "node/api/json_text.h"

namespace eventchain::node::api {

// What can go wrong, as clients see it: the type of a problem document (RFC 9457) is
// "urn:eventchain:problem:" and the name, and never changes its meaning or its status.
enum class Problem : std::uint8_t {
  kMalformedRequest,
  kMalformedEvent,
  kForbidden,
  kNotFound,
  kMethodNotAllowed,
  kVersionConflict,
  kKeyConflict,
  kOrderRefused,
  kNotYet,
  kTooLarge,
  kUnsupportedMediaType,
  kLightMember,
  kInvalidEvent,
  kPoolFull,
  kCorrupt,
  kInternal,
  kNotReady,
  kNotNow,
  kDraining,
  kDiskFull,
};
int status_of(Problem problem);
std::string_view name_of(Problem problem);

// Opens a problem document and leaves it open for members of its own.
JsonText open_problem(Problem problem, std::string_view detail);
net::http::Response close_problem(Problem problem, JsonText document);
net::http::Response problem_response(Problem problem, std::string_view detail);

// A chain or store error as the client's problem.
net::http::Response problem_response(const chain::Error& error);

}  // namespace eventchain::node::api
