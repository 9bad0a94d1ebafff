#include "node/api/drain.h"

#include <utility>

#include "node/api/handlers.h"
#include "node/api/json_object.h"
#include "node/api/ordering.h"

// The node's way to being stopped. It concerns this node alone: no block has it, and it ends with
// the process.
namespace eventchain::node::api {

namespace {

void set_drain(const CallPtr& call, bool wants) {
  NodePort& port = call->context->port;
  port.drain(wants);
  port.ask_status([call](const NodeStatus& status) {
    call->later([call, drain = status.drain] {
      JsonText document;
      append_drain(document, drain);
      call->answer_json(200, std::move(document));
    });
  });
}

}  // namespace

void append_drain(JsonText& out, const std::optional<DrainStatus>& drain) {
  out.open_object();
  if (!drain) {
    out.text("state", "none").close_object();
    return;
  }
  out.text("state", drain->is_done ? "drained" : "draining")
      .big("events", drain->events)
      .big("requests", drain->requests)
      .close_object();
}

void post_drain(const CallPtr& call) {
  if (!take_operator(call)) return;
  const auto body = take_body(call);
  if (!body) return;
  JsonObject fields(*body, "the order");
  if (const auto finished = fields.finish(); !finished)
    return call->answer(Problem::kMalformedRequest, finished.error().message);
  set_drain(call, true);
}

void delete_drain(const CallPtr& call) {
  if (take_operator(call)) set_drain(call, false);
}

}  // namespace eventchain::node::api
