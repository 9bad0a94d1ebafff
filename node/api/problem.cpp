#include "node/api/problem.h"

namespace eventchain::node::api {

namespace {

struct Kind {
  Problem problem;
  int status;
  std::string_view name;
  std::string_view title;
};

constexpr Kind kKinds[] = {
    {Problem::kMalformedRequest, 400, "malformed-request", "The request cannot be understood"},
    {Problem::kMalformedEvent, 400, "malformed-event", "The event cannot be read"},
    {Problem::kForbidden, 403, "forbidden", "This client may not order that"},
    {Problem::kNotFound, 404, "not-found", "There is no such thing here"},
    {Problem::kMethodNotAllowed, 405, "method-not-allowed", "This path has no such method"},
    {Problem::kVersionConflict, 409, "version-conflict", "The stream stands at another version"},
    {Problem::kKeyConflict, 409, "key-conflict", "Source and id name an event with other content"},
    {Problem::kOrderRefused, 409, "order-refused", "The cluster does not carry out this order"},
    {Problem::kNotYet, 409, "not-yet", "There is no such thing yet, but there may be soon"},
    {Problem::kTooLarge, 413, "too-large", "More than the limits allow"},
    {Problem::kUnsupportedMediaType, 415, "unsupported-media-type",
     "Not a media type that this path takes"},
    {Problem::kLightMember, 421, "light-member", "This node keeps headers only"},
    {Problem::kInvalidEvent, 422, "invalid-event", "The event breaks a rule"},
    {Problem::kPoolFull, 429, "pool-full", "Too many events are waiting"},
    {Problem::kCorrupt, 500, "corrupt", "Stored data is damaged and is not served"},
    {Problem::kInternal, 500, "internal", "The node failed"},
    {Problem::kNotReady, 503, "not-ready", "The cluster cannot decide at present"},
    {Problem::kNotNow, 503, "not-now", "The cluster cannot carry out this order yet"},
    {Problem::kDraining, 503, "draining", "The node takes no new events"},
    {Problem::kDiskFull, 507, "disk-full", "The node's disk is nearly full"},
};

const Kind& kind_of(Problem problem) {
  return kKinds[static_cast<std::size_t>(problem)];
}

}  // namespace

int status_of(Problem problem) {
  return kind_of(problem).status;
}
std::string_view name_of(Problem problem) {
  return kind_of(problem).name;
}

JsonText open_problem(Problem problem, std::string_view detail) {
  const Kind& kind = kind_of(problem);
  EC_ASSERT(kind.problem == problem, "the table follows the enumeration");
  JsonText document;
  document.open_object()
      .text("type", "urn:eventchain:problem:" + std::string(kind.name))
      .text("title", kind.title)
      .number("status", kind.status)
      .text("detail", detail);
  return document;
}

net::http::Response close_problem(Problem problem, JsonText document) {
  net::http::Response response;
  response.status = status_of(problem);
  response.content_type = "application/problem+json";
  response.body = document.close_object().take();
  // Long enough for a block to make room, short enough not to idle.
  if (problem == Problem::kPoolFull || problem == Problem::kNotReady ||
      problem == Problem::kNotNow || problem == Problem::kNotYet || problem == Problem::kDraining)
    response.headers.push_back({"Retry-After", "1"});
  return response;
}

net::http::Response problem_response(Problem problem, std::string_view detail) {
  return close_problem(problem, open_problem(problem, detail));
}

net::http::Response problem_response(const chain::Error& error) {
  switch (error.code) {
    case chain::ErrorCode::kMalformed:
      return problem_response(Problem::kMalformedEvent, error.message);
    case chain::ErrorCode::kInvalid:
      return problem_response(Problem::kInvalidEvent, error.message);
    case chain::ErrorCode::kTooLarge:
      return problem_response(Problem::kTooLarge, error.message);
    case chain::ErrorCode::kNotFound:
      return problem_response(Problem::kNotFound, error.message);
    case chain::ErrorCode::kConflict:
      return problem_response(Problem::kKeyConflict, error.message);
    case chain::ErrorCode::kUnavailable:
      return problem_response(Problem::kNotReady, error.message);
    case chain::ErrorCode::kCorrupt:
      return problem_response(Problem::kCorrupt, error.message);
    case chain::ErrorCode::kIo:
      return problem_response(Problem::kInternal, error.message);
  }
  return problem_response(Problem::kInternal, error.message);
}

}  // namespace eventchain::node::api
