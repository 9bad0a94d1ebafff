#pragma once

#include "chain/event.h"
#include "chain/result.h"
#include "net/http/request.h"

namespace eventchain::node::api {

// CloudEvents' HTTP binding 1.0.2, binary mode: attributes in ce- fields, data in the body.
// Attributes are strings there, except `expectedversion`, which must be an integer. A body of a
// JSON media type becomes JSON data (checked like the structured form), any other body binary data.
bool is_binary_mode(const net::http::Request& request);
// Shape only, as parse_event().
chain::Result<chain::Event> parse_binary(net::http::Request& request);

// "application/json; charset=utf-8" -> "application/json".
std::string media_type(std::string_view content_type);

}  // namespace eventchain::node::api
