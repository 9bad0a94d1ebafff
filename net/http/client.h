#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "chain/result.h"

namespace eventchain::net::http {

// http://HOST[:PORT][/PREFIX] or https://...; IPv6 addresses in brackets.
struct Url {
  bool tls = false;
  std::string host;  // IPv6 without brackets
  std::string port;
  std::string prefix;  // of every path; empty or "/...", without a slash at its end
  bool operator==(const Url&) const = default;
};
chain::Result<Url> parse_url(std::string_view text);

struct ClientOptions {
  Url url;
  std::string ca_file;  // PEM; empty: the system's authorities. Of no use without TLS
  std::chrono::milliseconds timeout{10'000};  // of a whole exchange, from the name to the answer
  // Of the answer's body. All that comes, with header, framing and trailers, has 16 KiB and twice
  // that at most.
  std::size_t answer_bytes_max = std::size_t{64} * 1024;
};

struct ClientAnswer {
  int status = 0;
  std::string content_type;
  std::string body;
};

// Sends requests to one server, now and then: each on a connection of its own, which is closed
// after it. TLS 1.3; the server's certificate must chain to the authority and name the host. Blocks
// the calling thread, one at a time; cancel() may come from any.
//
// Everything that keeps an answer away is kUnavailable, with the server and the reason: no such
// name, no connection, no trust, no answer in time, more than fits, no HTTP. Whether the request
// arrived is then unknown.
class Client {
 public:
  static chain::Result<std::unique_ptr<Client>> make(ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // `path` begins with a slash and follows the URL's prefix.
  chain::Result<ClientAnswer> post(std::string_view path, std::string_view content_type,
                                   std::string_view body);
  // Ends what is going on, and whatever is asked for afterwards at once. A name that is being
  // looked up is waited for: the system's resolver cannot be interrupted.
  void cancel();

 private:
  struct State;
  class Running;
  explicit Client(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace eventchain::net::http
