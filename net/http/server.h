#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "chain/result.h"
#include "net/http/limits.h"
#include "net/http/response.h"
#include "net/http/tls_options.h"

namespace eventchain::net::http {

// One answered request, for metrics and logs. Carries no content.
struct Exchange {
  const char* label = "";  // the response's
  int status = 0;
  std::chrono::nanoseconds duration{0};  // last octet of the request to last octet of the answer
  std::size_t request_octets = 0;        // of the body
  std::size_t response_octets = 0;
};

struct ServerOptions {
  std::string address = "127.0.0.1";  // IPv4, IPv6 without brackets, or a name
  std::uint16_t port = 0;             // 0: any that is free, see port()
  unsigned threads = 1;
  std::optional<TlsOptions> tls;
  Limits limits;
  std::function<void(const Exchange&)> observer;  // any of the server's threads; may be empty
};

// An HTTP/1.1 server. start() listens and runs `threads` threads of its own; every connection
// stays on one of them, and the handler is called there, so a handler that blocks holds up the
// other connections of its thread. stop() (or the destructor) closes everything and joins. Answers
// that were given before are sent first, for which it waits up to Limits::linger; those that come
// later are dropped.
class Server {
 public:
  static chain::Result<std::unique_ptr<Server>> start(ServerOptions options, Handler handler);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void stop();
  // Reads the TLS files again: connections from then on use them, those that are there stay as they
  // are. On an error nothing changes. Any thread.
  chain::Result<void> reload_tls();
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::size_t connections() const;

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace eventchain::net::http
