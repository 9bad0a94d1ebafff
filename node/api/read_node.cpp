#include <string>
#include <utility>

#include "node/api/handlers.h"
#include "node/api/status_json.h"
#include "node/api/witness_json.h"

namespace eventchain::node::api {

namespace {

// What this node has to do with witnesses, if it has.
void append_witnessing(JsonText& out, const Context& context) {
  if (const Witnesses* witnesses = context.options.witnesses)
    append_witnesses(out.key("witnesses"), witnesses->report());
  if (const Cosigner* cosigner = context.options.cosigner)
    append_cosigner(out.key("cosigner"), cosigner->report());
}

// Asks the core and answers on the connection's thread.
template <class Make>
void with_status(const CallPtr& call, Make make) {
  call->context->port.ask_status([call, make](const NodeStatus& status) {
    call->later([call, make, status] { call->answer(make(status)); });
  });
}

net::http::Response text_response(std::string content_type, std::string body) {
  net::http::Response response;
  response.content_type = std::move(content_type);
  response.body = std::move(body);
  return response;
}

}  // namespace

void get_cluster(const CallPtr& call) {
  with_status(call, [context = call->context](const NodeStatus& status) {
    JsonText out;
    append_status(out.open_object(), status);
    append_witnessing(out, *context);
    return text_response("application/json", out.close_object().take());
  });
}

void get_node(const CallPtr& call) {
  with_status(call, [context = call->context](const NodeStatus& status) {
    NodeReport report;
    report.status = status;
    if (context->options.host) report.host = context->options.host();
    if (context->options.lending != nullptr) report.lending = context->options.lending->report();
    // Without them its role and site are not told, which is better than no answer.
    if (auto members = context->reader.members(status.height.next()))
      report.members = std::move(*members);
    report.now = wall_now(*context);
    JsonText out;
    append_report(out.open_object(), report);
    append_witnessing(out, *context);
    return text_response("application/json", out.close_object().take());
  });
}

void get_livez(const CallPtr& call) {
  call->answer(text_response("application/json", R"({"status":"alive"})"));
}

void get_readyz(const CallPtr& call) {
  with_status(call, [](const NodeStatus& status) {
    if (status.drain)
      return problem_response(Problem::kDraining,
                              "this node is to be stopped; send clients to other nodes");
    if (status.ready) return text_response("application/json", R"({"status":"ready"})");
    if (status.is_light)
      return problem_response(Problem::kNotReady, "no member but light ones is linked");
    return problem_response(Problem::kNotReady,
                            "no leader is known or reachable; events are held here but cannot "
                            "become durable until a majority of voters is linked");
  });
}

void get_metrics(const CallPtr& call) {
  const auto& text = call->context->options.metrics;
  if (!text) return call->answer(Problem::kNotFound, "metrics are switched off");
  with_status(call, [&text](const NodeStatus& status) {
    return text_response("text/plain; version=0.0.4; charset=utf-8", text(status));
  });
}

void get_openapi(const CallPtr& call) {
  call->answer(text_response("application/json", std::string(openapi_json())));
}

}  // namespace eventchain::node::api
