#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "chain/genesis.h"
#include "net/http/response.h"
#include "node/port.h"
#include "store/chain_reader.h"

namespace eventchain::node::api {

struct ApiOptions {
  chain::Genesis genesis;
  std::chrono::seconds wait_default{30};  // when the client says nothing
  std::chrono::seconds wait_max{60};
  // Text for /metrics; called on a server thread with the node's present state.
  std::function<std::string(const NodeStatus&)> metrics;
};

// The node's HTTP API: what a request means, without sockets. handle() is the HTTP server's
// handler; it is called on the server's threads and reads the store there, while the core's answers
// come back through the responder's thread. README.md has the routes.
//
// Lifecycle: `port` and `reader` outlive it. Stop the HTTP server and the node's core before
// destroying it.
class Api {
 public:
  Api(ApiOptions options, NodePort& port, store::ChainReader& reader);
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  void handle(net::http::Request request, std::shared_ptr<net::http::Responder> responder);

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

// Every route, for the test that compares them with openapi.json.
struct RouteName {
  std::string method;
  std::string path;  // "/v1/events/{key}"
};
std::vector<RouteName> route_names();

// openapi.json as it was built in.
std::string_view openapi_json();

}  // namespace eventchain::node::api
