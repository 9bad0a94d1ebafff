#include "node/api/ordering.h"

#include <fmt/format.h>

#include <utility>

#include "net/identity.h"
#include "node/api/cloudevent_binary.h"
#include "node/api/json_object.h"

namespace eventchain::node::api {

namespace {

constexpr std::chrono::seconds kReadWaitMax{5};
// An order waits for a block, and a change of voters for pending events to settle before.
constexpr std::chrono::seconds kOrderWaitMax{30};
// An order is a few hundred octets; a join with a certificate request a few thousand.
constexpr std::size_t kBodyBytesMax = 64 * 1024;

// Other nodes wrote it: JSON must stay JSON.
std::string printable(std::string text) {
  for (char& c : text)
    if (c < 0x20 || c > 0x7e) c = '?';
  return text;
}

void refuse(const CallPtr& call, const OrderAnswer& answer) {
  const std::string message = printable(answer.message);
  if (answer.outcome == net::OrderOutcome::kRefused)
    return call->answer(Problem::kOrderRefused, message);
  // Without a leader nothing at all can be decided, which is worth telling apart.
  call->context->port.ask_status([call, message](const NodeStatus& status) {
    call->later([call, message, problem = status.ready ? Problem::kNotNow : Problem::kNotReady] {
      call->answer(problem, message);
    });
  });
}

}  // namespace

std::string client_name(const Call& call) {
  const auto identity = net::parse_identity(call.request.principal);
  if (!identity) return {};
  const auto* client = std::get_if<net::ClientIdentity>(&*identity);
  const chain::Genesis& genesis = call.context->options.genesis;
  if (client == nullptr || client->trust_domain != genesis.trust_domain ||
      client->chain != genesis.name)
    return {};
  return client->name;
}

std::optional<std::string> take_operator(const CallPtr& call) {
  const ApiOptions& options = call->context->options;
  switch (options.order_right) {
    case OrderRight::kEverybody:
      return client_name(*call);
    case OrderRight::kNobody:
      call->answer(Problem::kForbidden,
                   "this node does not ask clients for certificates, so it takes no orders; set "
                   "api.ca and api.operators in its configuration");
      return std::nullopt;
    case OrderRight::kOperators:
      break;
  }
  std::string name = client_name(*call);
  if (!name.empty() && options.operators.contains(name)) return name;
  call->answer(Problem::kForbidden,
               fmt::format("{} is not among api.operators of this node's configuration",
                           name.empty() ? "a certificate that is no client's of this chain"
                                        : "client " + name));
  return std::nullopt;
}

std::optional<boost::json::value> take_body(const CallPtr& call) {
  // Also keeps web pages out that a person on a loopback address may have open: browsers ask first
  // before they send this media type elsewhere.
  if (media_type(call->request.header("content-type")) != "application/json") {
    call->answer(Problem::kUnsupportedMediaType, "send the order as application/json");
    return std::nullopt;
  }
  const std::string body = std::exchange(call->request.body, {});
  if (body.size() > kBodyBytesMax) {
    call->answer(Problem::kTooLarge, fmt::format("an order has at most {} octets", kBodyBytesMax));
    return std::nullopt;
  }
  auto parsed = parse_json(body);
  if (!parsed) {
    call->answer(Problem::kMalformedRequest, "the order: " + parsed.error().message);
    return std::nullopt;
  }
  return std::move(*parsed);
}

void with_members(const CallPtr& call, std::function<void(const chain::MembersRef&)> go_on) {
  call->context->port.ask_read(kReadWaitMax, [call, go_on = std::move(go_on)](bool reached) {
    call->later([call, go_on, reached] {
      if (!reached)
        return call->answer(Problem::kNotReady,
                            "no majority of voters confirmed in time who leads; try again, or at "
                            "another node");
      store::ChainReader& reader = call->context->reader;
      const auto members = reader.members(reader.tip().height.next());
      if (!members) return call->answer(problem_response(members.error()));
      go_on(*members);
    });
  });
}

void give_order(const CallPtr& call, net::Order order, std::function<void(chain::Height)> go_on) {
  call->context->port.order(std::move(order), kOrderWaitMax,
                            [call, go_on = std::move(go_on)](OrderAnswer answer) {
                              call->later([call, go_on, answer = std::move(answer)] {
                                if (answer.outcome != net::OrderOutcome::kDone)
                                  return refuse(call, answer);
                                go_on(answer.height);
                              });
                            });
}

}  // namespace eventchain::node::api
