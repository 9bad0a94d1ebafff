#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/api/api.h"
#include "node/api/outcome_json.h"
#include "node/api/problem.h"
#include "node/api/work_proofs.h"

namespace eventchain::node::api {

// What all calls share. Thread-safe as far as its parts are.
struct Context {
  Context(ApiOptions given, NodePort& node, store::ChainReader& store)
      : options(std::move(given)),
        limits(chain::event_limits(options.genesis)),
        port(node),
        reader(store),
        work_proofs(store, options.genesis) {}
  const ApiOptions options;
  const chain::EventLimits limits;
  NodePort& port;
  store::ChainReader& reader;
  std::atomic<std::uint64_t> log_size{0};  // as of the newest commit told
  WorkProofs work_proofs;
};

// As far as this node knows.
Finality finality_of(const Context& context);
std::uint64_t witnessed_size_of(const Context& context);

// The options' wall clock, or the system's.
chain::UnixMillis wall_now(const Context& context);

// The query's parameters, each at most once.
using Query = std::map<std::string, std::string, std::less<>>;

// One request on its way to its answer; shared by the callbacks that will answer it.
struct Call {
  std::shared_ptr<Context> context;
  net::http::Request request;
  std::shared_ptr<net::http::Responder> responder;
  std::vector<std::string> path;  // the values of the route's {names}, decoded
  Query query;
  const char* label = "";

  // What every answer tells of the state it was made from.
  [[nodiscard]] std::vector<net::http::Header> standing() const;
  // Adds that, and answers.
  void answer(net::http::Response response) const;
  void answer(Problem problem, std::string_view detail) const {
    answer(problem_response(problem, detail));
  }
  void answer_json(int status, JsonText document) const;
  // Runs `work` on the connection's thread; for callbacks that come from the core's.
  void later(std::function<void()> work) const { responder->post(std::move(work)); }

  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const;
};
using CallPtr = std::shared_ptr<Call>;

// The event key in a route's first place. nullopt after having answered.
std::optional<chain::EventKey> event_key_of(const CallPtr& call);

// A decimal number without sign, spaces or leading zeros; nullopt for anything else.
std::optional<std::uint64_t> parse_number(std::string_view text);

// `from` and `limit` of a listing. The error is ready to be sent.
struct Range {
  std::uint64_t from = 0;
  std::size_t limit = 0;
};
chain::Result<Range> parse_range(const Call& call, std::size_t limit_default,
                                 std::size_t limit_max);

}  // namespace eventchain::node::api
