#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "net/http/server.h"
#include "tests/unit/http/client.h"

// Servers and requests that several tests use.
namespace http_test {

using namespace eventchain::net::http;

// Answers with what it was asked, so that a test sees what reached the handler.
inline Handler echo() {
  return [](Request request, std::shared_ptr<Responder> responder) {
    Response response;
    response.content_type = "text/plain";
    response.body = fmt::format("{} {} [{}]", request.method, request.target, request.body);
    responder->respond(std::move(response));
  };
}

inline std::unique_ptr<Server> serve(Handler handler, Limits limits = {}) {
  ServerOptions options;
  options.limits = limits;
  auto server = Server::start(std::move(options), std::move(handler));
  REQUIRE(server.has_value());
  return std::move(*server);
}

inline constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

inline std::string post(std::string_view fields, std::string_view body) {
  return fmt::format("POST /p HTTP/1.1\r\nHost: x\r\n{}\r\n{}", fields, body);
}

}  // namespace http_test
