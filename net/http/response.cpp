#include "net/http/response.h"

#include <fmt/format.h>

#include <iterator>

namespace eventchain::net::http {

namespace {

struct Reason {
  int status;
  const char* phrase;
};

constexpr Reason kReasons[] = {
    {100, "Continue"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

}  // namespace

const char* reason_phrase(int status) {
  for (const Reason& reason : kReasons)
    if (reason.status == status) return reason.phrase;
  return "Unknown";
}

std::string make_head(int status, std::string_view content_type, const std::vector<Header>& headers,
                      std::size_t content_length, const HeadOptions& options) {
  std::string head;
  head.reserve(256);
  auto out = std::back_inserter(head);
  fmt::format_to(out, "HTTP/1.1 {} {}\r\nDate: {}\r\n", status, reason_phrase(status),
                 options.date);
  if (!content_type.empty()) fmt::format_to(out, "Content-Type: {}\r\n", content_type);
  for (const Header& field : headers) fmt::format_to(out, "{}: {}\r\n", field.name, field.value);
  if (options.is_chunked) {
    if (!options.is_http_1_0) head.append("Transfer-Encoding: chunked\r\n");
  } else {
    fmt::format_to(out, "Content-Length: {}\r\n", content_length);
  }
  if (!options.keep_alive)
    head.append("Connection: close\r\n");
  else if (options.is_http_1_0)
    head.append("Connection: keep-alive\r\n");
  head.append("\r\n");
  return head;
}

Response problem(int status, std::string_view kind, std::string_view detail) {
  Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.body = fmt::format(
      R"({{"type":"urn:eventchain:problem:{}","title":"{}","status":{},"detail":"{}"}})", kind,
      reason_phrase(status), status, detail);
  response.label = "refused";
  return response;
}

}  // namespace eventchain::net::http
