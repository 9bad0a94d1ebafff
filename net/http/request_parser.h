#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "net/http/limits.h"
#include "net/http/request.h"

namespace eventchain::net::http {

// Why a request is not taken; the connection is closed after the answer.
struct Refusal {
  int status = 400;
  const char* kind = "malformed-request";
  const char* detail = "";
};

// HTTP/1.1 requests from octets, without sockets: Beast's parser does the grammar, this class the
// rules that keep two readers of one stream from disagreeing (request smuggling) and the limits.
// Owned by one connection; not thread-safe. After kDone: take(), then reset() for the next request.
class RequestParser {
 public:
  explicit RequestParser(const Limits& limits);
  ~RequestParser();

  enum class Step : std::uint8_t {
    kNeedMore,    // everything usable was consumed
    kHeaderDone,  // a body follows; said once
    kDone,
    kFailed,  // see refusal()
  };
  struct Progress {
    Step step = Step::kNeedMore;
    std::size_t consumed = 0;  // what was not consumed must be offered again, with more behind it
  };
  Progress feed(std::string_view bytes);

  void reset();
  [[nodiscard]] Request take();

  [[nodiscard]] const Refusal& refusal() const;
  // Of the request whose header is done.
  [[nodiscard]] std::optional<std::uint64_t> content_length() const;
  [[nodiscard]] std::size_t body_size() const;  // so far
  [[nodiscard]] bool expects_continue() const;
  [[nodiscard]] bool keeps_alive() const;
  [[nodiscard]] bool is_head() const;
  [[nodiscard]] bool is_http_1_0() const;

 private:
  struct Grammar;
  const Limits& limits_;
  std::unique_ptr<Grammar> grammar_;
};

}  // namespace eventchain::net::http
