#include "node/api/api.h"

#include "node/api/call.h"
#include "node/api/router.h"

namespace eventchain::node::api {

struct Api::State {
  std::shared_ptr<Context> context;
  std::uint64_t subscription = 0;
};

Api::Api(ApiOptions options, NodePort& port, store::ChainReader& reader)
    : state_(std::make_shared<State>()) {
  state_->context = std::make_shared<Context>(std::move(options), port, reader);
  // First subscribe, then read: a commit in between is not missed, and the greater value wins.
  state_->subscription = port.subscribe(
      [context = state_->context](const TipMoved& tip) { context->log_size.store(tip.log_size); });
  std::uint64_t none = 0;
  state_->context->log_size.compare_exchange_strong(none, reader.tip().log_size);
}

Api::~Api() {
  state_->context->port.unsubscribe(state_->subscription);
}

void Api::handle(net::http::Request request, std::shared_ptr<net::http::Responder> responder) {
  const auto call = std::make_shared<Call>();
  call->context = state_->context;
  call->request = std::move(request);
  call->responder = std::move(responder);
  const Route* route = find_route(*call);
  if (route != nullptr) route->handle(call);
}

std::vector<RouteName> route_names() {
  std::vector<RouteName> names;
  for (const Route& route : routes()) names.push_back({route.method, route.path});
  return names;
}

}  // namespace eventchain::node::api
