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
  // Before the last call goes, and with it the context, perhaps on that very thread.
  state_->context->work_proofs.stop();
}

namespace {

// A read waits for a round of messages, and for this node to apply what it lacks.
constexpr std::chrono::seconds kReadWaitMax{5};

// Handles a call once this node has applied all that was committed before it came.
void handle_linearizable(const CallPtr& call, const Route& route) {
  call->context->port.ask_read(kReadWaitMax, [call, handle = route.handle](bool reached) {
    call->later([call, handle, reached] {
      if (reached) return handle(call);
      call->answer(Problem::kNotReady,
                   "no majority of voters confirmed in time who leads, so what this node has may "
                   "be old; try again, or read with consistency=local");
    });
  });
}

// Names those that can answer, as far as they have told where they are.
void refuse_as_light(const Call& call) {
  std::string where;
  store::ChainReader& reader = call.context->reader;
  if (const auto members = reader.members(reader.tip().height.next()))
    for (const chain::Member& member : (*members)->members) {
      if (member.role == chain::MemberRole::kLight || member.api_address.empty()) continue;
      where += (where.empty() ? "" : ", ") + member.name + " at " + member.api_address;
    }
  call.answer(Problem::kLightMember,
              "this node is a light member: it keeps headers and certificates, and neither events "
              "nor the log; ask " +
                  (where.empty() ? "a voter, standby or observer" : where));
}

}  // namespace

void Api::handle(net::http::Request request, std::shared_ptr<net::http::Responder> responder) {
  const auto call = std::make_shared<Call>();
  call->context = state_->context;
  call->request = std::move(request);
  call->responder = std::move(responder);
  const Route* route = find_route(*call);
  if (route == nullptr) return;
  const auto consistency = call->parameter("consistency").value_or("local");
  if (state_->context->options.is_light && (!route->is_light || consistency == "linearizable"))
    return refuse_as_light(*call);
  if (consistency == "local") return route->handle(call);
  if (consistency == "linearizable") return handle_linearizable(call, *route);
  call->answer(Problem::kMalformedRequest,
               "query parameter 'consistency' must be local or linearizable");
}

std::vector<RouteName> route_names() {
  std::vector<RouteName> names;
  for (const Route& route : routes()) {
    std::string path = route.path;
    if (path.ends_with("...}")) path.replace(path.size() - 4, 4, "}");
    names.push_back({route.method, std::move(path)});
  }
  return names;
}

}  // namespace eventchain::node::api
