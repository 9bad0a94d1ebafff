#include "tools/bench/plain_http.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace eventchain::bench {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

constexpr std::size_t kReadSize = std::size_t{64} * 1024;
constexpr std::size_t kAnswerBytesMax = std::size_t{64} * 1024 * 1024;
constexpr std::string_view kLengthField = "content-length:";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// The value of Content-Length in a head; npos when there is none.
std::size_t content_length(std::string_view head) {
  for (std::size_t line = head.find("\r\n"); line != std::string_view::npos;
       line = head.find("\r\n", line + 2)) {
    const std::string_view rest = head.substr(line + 2);
    if (rest.size() < kLengthField.size()) break;
    std::size_t same = 0;
    while (same < kLengthField.size() && lower(rest[same]) == kLengthField[same]) ++same;
    if (same < kLengthField.size()) continue;
    std::size_t at = same;
    while (at < rest.size() && rest[at] == ' ') ++at;
    std::size_t length = 0;
    const auto read = std::from_chars(rest.data() + at, rest.data() + rest.size(), length);
    if (read.ec == std::errc()) return length;
  }
  return std::string_view::npos;
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  const std::string given(text);
  if (text.substr(0, kScheme.size()) == kScheme) text.remove_prefix(kScheme.size());
  const std::size_t colon = text.rfind(':');
  Address address;
  if (colon != std::string_view::npos) {
    address.host = std::string(text.substr(0, colon));
    const std::string_view port = text.substr(colon + 1);
    const auto read = std::from_chars(port.data(), port.data() + port.size(), address.port);
    in_addr parsed{};
    if (read.ec == std::errc() && read.ptr == port.data() + port.size() &&
        inet_pton(AF_INET, address.host.c_str(), &parsed) == 1)
      return address;
  }
  return fail(ErrorCode::kInvalid, fmt::format("'{}' is no IPv4 address with a port", given));
}

PlainConnection::~PlainConnection() {
  if (socket_ >= 0) close(socket_);
}

tl::unexpected<chain::Error> PlainConnection::broken(std::string_view doing) {
  const int reason = errno;
  if (socket_ >= 0) close(std::exchange(socket_, -1));
  received_.clear();
  return fail(ErrorCode::kUnavailable,
              fmt::format("{}:{}: {}: {}", address_.host, address_.port, doing,
                          reason == 0 ? "the node closed the connection" : std::strerror(reason)));
}

Result<void> PlainConnection::open() {
  socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return broken("no socket");
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(address_.port);
  inet_pton(AF_INET, address_.host.c_str(), &to.sin_addr);
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0)
    return broken("cannot connect");
  return {};
}

Result<Answer> PlainConnection::exchange(std::string_view request) {
  if (socket_ < 0) {
    if (auto opened = open(); !opened) return tl::unexpected<chain::Error>(opened.error());
  }
  while (!request.empty()) {
    const ssize_t sent = send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return broken("cannot send");
    request.remove_prefix(static_cast<std::size_t>(sent));
  }
  return read_answer();
}

Result<Answer> PlainConnection::read_answer() {
  std::size_t filled = 0;
  std::size_t body = 0;
  std::size_t wanted = std::string::npos;  // of the whole answer
  while (wanted == std::string::npos || filled < wanted) {
    if (received_.size() < filled + kReadSize) received_.resize(filled + kReadSize);
    const ssize_t got = recv(socket_, received_.data() + filled, received_.size() - filled, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) errno = 0;
    if (got <= 0) return broken("no answer");
    filled += static_cast<std::size_t>(got);
    if (wanted != std::string::npos) continue;
    const std::string_view seen(received_.data(), filled);
    const std::size_t end = seen.find("\r\n\r\n");
    if (end == std::string_view::npos) continue;
    body = end + 4;
    const std::size_t length = content_length(seen.substr(0, end));
    if (length > kAnswerBytesMax) {
      errno = EPROTO;
      return broken("an answer without a usable Content-Length");
    }
    wanted = body + length;
  }
  Answer answer;
  const char* status = received_.data() + std::string_view("HTTP/1.1 ").size();
  std::from_chars(status, status + 3, answer.status);
  answer.body = std::string_view(received_).substr(body, wanted - body);
  return answer;
}

Result<Answer> PlainConnection::get(std::string_view target) {
  return exchange(
      fmt::format("GET {} HTTP/1.1\r\nHost: {}:{}\r\n\r\n", target, address_.host, address_.port));
}

}  // namespace eventchain::bench
