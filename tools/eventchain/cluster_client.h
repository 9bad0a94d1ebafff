#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "tools/eventchain/http_client.h"
#include "tools/eventchain/session.h"

namespace eventchain::tools {

// Any node answers for the whole cluster, so a client has a list of endpoints and uses the first
// that answers. One thread at a time.
class ClusterClient {
 public:
  // Starts with endpoint `first` modulo their number, so that several clients spread out.
  // Stops the command if the session's endpoints or TLS files are unusable.
  explicit ClusterClient(const Session& session, std::size_t first = 0);

  // The answer of the first endpoint that is reachable and able (not 503); each is asked at most
  // once. If all fail: the last answer, or kUnavailable when there was none at all.
  chain::Result<HttpResponse> ask(const HttpRequest& request, std::chrono::milliseconds timeout);

  // The answer of the endpoint that answered last: for what must not be said twice because nobody
  // knows whether it was heard.
  chain::Result<HttpResponse> ask_once(const HttpRequest& request,
                                       std::chrono::milliseconds timeout);

  // Round robin: the next ask() begins with the next endpoint.
  void turn();

 private:
  std::vector<HttpConnection> connections_;
  std::size_t current_ = 0;
};

// A message for people from a problem document (RFC 9457), or from whatever the answer is.
std::string problem_text(const HttpResponse& response);
// Stops the command unless the answer is a success; 503 and 504 count as no quorum.
void require_success(const HttpResponse& response);
// GET of a JSON document; stops the command when there is none to be had.
boost::json::value fetch_json(ClusterClient& client, const std::string& target);
// The same, as text.
std::string fetch_text(ClusterClient& client, const std::string& target);
// Sends an order to the cluster, once; the answer's JSON. Stops the command when it is refused (1),
// cannot be carried out yet (4), or when nobody knows (5).
boost::json::value give_order(ClusterClient& client, const std::string& method,
                              const std::string& target, const boost::json::value* body);

}  // namespace eventchain::tools
