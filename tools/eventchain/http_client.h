#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chain/result.h"

namespace eventchain::tools {

// http://HOST[:PORT] or https://HOST[:PORT]; IPv6 addresses in brackets.
struct Endpoint {
  bool tls = false;
  std::string host;
  std::string port;
  std::string text;  // as given, for messages
};
chain::Result<Endpoint> parse_endpoint(std::string_view text);

// Files in PEM form; empty where not given.
struct TlsFiles {
  std::string ca;
  std::string certificate;
  std::string key;
};

// What connections share: the trusted authority and the client's own certificate. Immutable once
// made, shared by threads. An endpoint is trusted if its certificate chains to the authority and
// names a node of the same chain as the client's own certificate (or, for a proxy in front of the
// nodes, the endpoint's host name).
class TlsContext;
chain::Result<std::shared_ptr<const TlsContext>> make_tls_context(const TlsFiles& files);

struct HttpRequest {
  std::string method = "GET";
  std::string target;  // path and query
  std::string content_type;
  std::string_view body;  // must outlive the exchange
  std::vector<std::pair<std::string, std::string>> headers;
};

struct HttpResponse {
  unsigned status = 0;
  std::string content_type;
  std::string retry_after;
  std::string body;
  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
};

// One kept-alive connection to one endpoint, opened on first use and again after a failure. Blocks
// the calling thread; one thread at a time. A request whose connection turns out to have been
// closed while idle is sent once more on a fresh one, so only requests that may be repeated may be
// given to it. All failures to get an answer are kUnavailable.
class HttpConnection {
 public:
  HttpConnection(Endpoint endpoint, std::shared_ptr<const TlsContext> tls);
  ~HttpConnection();
  HttpConnection(HttpConnection&&) noexcept;
  HttpConnection& operator=(HttpConnection&&) noexcept;

  chain::Result<HttpResponse> exchange(const HttpRequest& request,
                                       std::chrono::milliseconds timeout);
  [[nodiscard]] const Endpoint& endpoint() const;
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace eventchain::tools
