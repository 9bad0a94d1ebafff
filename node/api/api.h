#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "chain/genesis.h"
#include "mining/lending.h"
#include "net/http/response.h"
#include "node/node_report.h"
#include "node/port.h"
#include "node/witnessing/cosigner.h"
#include "store/chain_reader.h"

namespace eventchain::node::api {

// Whose orders to the cluster are taken; to join needs a token alone.
enum class OrderRight : std::uint8_t {
  kNobody,     // clients show no certificates
  kOperators,  // clients whose certificates bear one of the names in `operators`
  kEverybody,  // no TLS, so on a loopback address only
};

// What a new member's certificate is made of.
struct CertificateWanted {
  chain::NodeId node;
  std::string name;
  std::string request;  // PEM
};
// Has it made. Called on a server thread, returns at once; `done` gets the PEM on any thread.
using IssueCertificate =
    std::function<void(CertificateWanted, std::function<void(chain::Result<std::string>)> done)>;

struct ApiOptions {
  chain::Genesis genesis;
  chain::NodeId self;
  std::chrono::seconds wait_default{30};  // when the client says nothing
  std::chrono::seconds wait_max{60};
  // Text for /metrics; called on a server thread with the node's present state.
  std::function<std::string(const NodeStatus&)> metrics;

  // The host as it is now, for /v1/node; called on a server thread. Empty: nothing is known of it.
  std::function<HostState()> host;

  // A light member: what needs events, the log or orders is answered with where to ask.
  bool is_light = false;

  const Witnesses* witnesses = nullptr;  // of the log; null: none. Outlives the API, like
  Cosigner* cosigner = nullptr;          // the witness that this node is; null: it is none

  mining::Lending* lending = nullptr;  // null: this node lends nothing; outlives the API

  OrderRight order_right = OrderRight::kNobody;
  std::set<std::string, std::less<>> operators;
  // By which invitations run out and shares have an age; empty: the system's.
  std::function<chain::UnixMillis()> wall_clock;
  // PEM of the authority of links, told to those who join; may change meanwhile. Any server thread.
  // Empty: they are not told.
  std::function<std::string()> peers_ca;
  IssueCertificate issue_certificate;  // empty: somebody signs the requests by hand
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
