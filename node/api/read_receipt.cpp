#include <fmt/format.h>

#include "node/api/handlers.h"
#include "node/api/outcome_json.h"
#include "node/api/receipt_json.h"
#include "store/receipt_maker.h"

namespace eventchain::node::api {

namespace {

// nullopt after having answered.
std::optional<store::ReceiptShape> shape_of(const CallPtr& call) {
  store::ReceiptShape shape;
  if (const auto end = call->parameter("certificate")) {
    if (*end != "first" && *end != "newest") {
      call->answer(Problem::kMalformedRequest,
                   "query parameter 'certificate' must be first or newest");
      return std::nullopt;
    }
    if (*end == "newest") shape.end = store::ReceiptEnd::kNewest;
  }
  if (const auto size = call->parameter("log_size")) {
    shape.log_size = parse_number(*size);
    if (!shape.log_size) {
      call->answer(Problem::kMalformedRequest,
                   "query parameter 'log_size' must be a decimal number");
      return std::nullopt;
    }
  }
  return shape;
}

std::optional<store::ReceiptWish> wish_of(const CallPtr& call) {
  const auto key = event_key_of(call);
  if (!key) return std::nullopt;
  const auto shape = shape_of(call);
  if (!shape) return std::nullopt;
  return store::ReceiptWish{*key, *shape};
}

void answer_receipt(const CallPtr& call, const chain::Receipt& receipt) {
  auto text = format_receipt(receipt);
  if (!text) return call->answer(problem_response(text.error()));
  net::http::Response response;
  response.content_type = "application/json";
  response.body = std::move(*text);
  call->answer(std::move(response));
}

// With the event's status, so that whoever asked knows what he waits for.
template <class AppendStatus>
void answer_not_yet(const CallPtr& call, const chain::EventKey& key, std::string_view detail,
                    AppendStatus append_status) {
  JsonText document = open_problem(Problem::kNotYet, detail);
  document.key("event").open_object().text("key", to_hex(key));
  append_status(document);
  document.close_object();
  call->answer(close_problem(Problem::kNotYet, std::move(document)));
}

void answer_settled(const CallPtr& call, const store::ReceiptWish& wish,
                    const store::EventLookup& lookup) {
  const Context& context = *call->context;
  const auto receipt = store::ReceiptMaker(context.reader, context.options.genesis).make(wish);
  if (!receipt && receipt.error().code == chain::ErrorCode::kUnavailable)
    return answer_not_yet(call, wish.key, receipt.error().message, [&](JsonText& out) {
      append_settled(out, lookup, finality_of(context));
    });
  if (!receipt) return call->answer(problem_response(receipt.error()));
  answer_receipt(call, *receipt);
}

// The store knows nothing of it; perhaps the core does.
void answer_pending(const CallPtr& call, const store::ReceiptWish& wish,
                    const std::optional<chain::PendingStage>& stage) {
  if (stage)
    return answer_not_yet(call, wish.key,
                          "the event waits for its block; ask again when its status is final",
                          [&](JsonText& out) { append_pending(out, *stage); });
  // Read again: a block may have settled it between the two questions.
  const auto lookup = call->context->reader.event(wish.key);
  if (!lookup) return call->answer(problem_response(lookup.error()));
  if (lookup->state == store::EventLookup::State::kUnknown)
    return call->answer(Problem::kNotFound, "no event with this key has reached this node");
  answer_settled(call, wish, *lookup);
}

}  // namespace

void get_event_receipt(const CallPtr& call) {
  const auto wish = wish_of(call);
  if (!wish) return;
  const auto lookup = call->context->reader.event(wish->key);
  if (!lookup) return call->answer(problem_response(lookup.error()));
  if (lookup->state != store::EventLookup::State::kUnknown)
    return answer_settled(call, *wish, *lookup);
  call->context->port.ask_pending(
      wish->key, [call, wish = *wish](std::optional<PendingLookup> pending) {
        const auto stage = pending ? std::optional(pending->stage) : std::nullopt;
        call->later([call, wish, stage] { answer_pending(call, wish, stage); });
      });
}

void get_block_receipt(const CallPtr& call) {
  const auto height = parse_number(call->path[0]);
  if (!height) return call->answer(Problem::kMalformedRequest, "a height is a decimal number");
  const auto shape = shape_of(call);
  if (!shape) return;
  const Context& context = *call->context;
  const auto receipt = store::ReceiptMaker(context.reader, context.options.genesis)
                           .make_of_block(chain::Height{*height}, *shape);
  if (!receipt && receipt.error().code == chain::ErrorCode::kUnavailable)
    return call->answer(Problem::kNotYet, receipt.error().message);
  if (!receipt) return call->answer(problem_response(receipt.error()));
  answer_receipt(call, *receipt);
}

}  // namespace eventchain::node::api
