#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/eventchain/http_client.h"

namespace eventchain::tools {

// What one endpoint said in one round.
struct Polled {
  std::string endpoint;
  std::string node;     // the text of /v1/node; empty where there is a trouble
  std::string members;  // the text of /v1/members, where that was asked for
  std::string trouble;  // why there is no answer; empty: there is one
  // By this machine's clock: the middle between question and answer, and half the time between.
  std::chrono::milliseconds asked_at{0};
  std::chrono::milliseconds uncertainty{0};
};

// Asks many nodes for /v1/node at once and waits no longer than it was told, whatever hosts,
// networks and name servers do: each endpoint has a thread and a connection of its own, which is
// kept from round to round. One that is still busy with an earlier round, say because a name server
// is silent, counts as one that gave no answer. Owned and used by one thread.
class EndpointPoll {
 public:
  explicit EndpointPoll(std::shared_ptr<const TlsContext> tls);
  // Leaves alone the threads that cannot be ended now; see has_stragglers().
  ~EndpointPoll();
  EndpointPoll(const EndpointPoll&) = delete;
  EndpointPoll& operator=(const EndpointPoll&) = delete;

  // Further endpoints to be asked in the same round, by an answer of one of the first.
  using Discover = std::function<std::vector<std::string>(const Polled&)>;

  // The endpoints' answers in the order given, then those of further ones. Each has `timeout`; all
  // together take twice that at most.
  std::vector<Polled> round(const std::vector<std::string>& endpoints,
                            std::chrono::milliseconds timeout, const Discover& discover);

  // Whether this process has threads that were left alone: it should end without waiting for them.
  static bool has_stragglers();

 private:
  struct Shared;
  struct Worker;
  static void work(const std::shared_ptr<Shared>& shared, const std::shared_ptr<Worker>& worker);
  // Nothing if the text is no endpoint.
  std::shared_ptr<Worker> worker_of(const std::string& endpoint);

  const std::shared_ptr<const TlsContext> tls_;
  const std::shared_ptr<Shared> shared_;
  std::map<std::string, std::shared_ptr<Worker>> workers_;
  std::uint64_t rounds_ = 0;
};

}  // namespace eventchain::tools
